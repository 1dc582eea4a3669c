# The warnings this project is built with; they never reach a user's targets.
function(actorbus_warnings target)
  target_compile_options(
    ${target}
    PRIVATE -Wall
            -Wextra
            -Wpedantic
            -Wshadow
            -Wconversion
            -Wsign-conversion
            -Wnon-virtual-dtor
            -Woverloaded-virtual
            -Wold-style-cast
            $<$<BOOL:${ACTORBUS_WARNINGS_AS_ERRORS}>:-Werror>)
endfunction()
