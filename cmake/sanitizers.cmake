# Builds a library with sanitizers, and whatever links it: a sanitized library does not link with anything else.
function(actorbus_sanitize target sanitizers)
  foreach(sanitizer IN LISTS sanitizers)
    target_compile_options(${target} PUBLIC -fsanitize=${sanitizer} -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${sanitizer})
  endforeach()
  # g++ says that ThreadSanitizer does not model a lone fence; no data is published by one here.
  if("thread" IN_LIST sanitizers)
    target_compile_options(${target} PUBLIC $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  endif()
endfunction()
