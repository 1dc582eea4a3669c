# Finds hiredis, whose packages differ: some install a package file, some with other names, some none.
#
# Sets Hiredis_FOUND and Hiredis_VERSION, and defines the target Hiredis::hiredis.
include(FindPackageHandleStandardArgs)

find_path(Hiredis_INCLUDE_DIR hiredis/hiredis.h)
find_library(Hiredis_LIBRARY hiredis)
mark_as_advanced(Hiredis_INCLUDE_DIR Hiredis_LIBRARY)

if(Hiredis_INCLUDE_DIR)
  set(Hiredis_VERSION "")
  foreach(part IN ITEMS MAJOR MINOR PATCH)
    file(STRINGS "${Hiredis_INCLUDE_DIR}/hiredis/hiredis.h" line REGEX "^#define HIREDIS_${part} [0-9]+$")
    string(REGEX REPLACE "[^0-9]" "" number "${line}")
    list(APPEND Hiredis_VERSION "${number}")
  endforeach()
  list(JOIN Hiredis_VERSION "." Hiredis_VERSION)
endif()

find_package_handle_standard_args(
  Hiredis
  REQUIRED_VARS Hiredis_LIBRARY Hiredis_INCLUDE_DIR
  VERSION_VAR Hiredis_VERSION)

if(Hiredis_FOUND AND NOT TARGET Hiredis::hiredis)
  add_library(Hiredis::hiredis UNKNOWN IMPORTED)
  set_target_properties(
    Hiredis::hiredis
    PROPERTIES IMPORTED_LOCATION "${Hiredis_LIBRARY}"
               INTERFACE_INCLUDE_DIRECTORIES "${Hiredis_INCLUDE_DIR}")
endif()
