# Installs the library, its public headers and the package that find_package(actorbus) reads.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(actorbus_headers "${CMAKE_INSTALL_INCLUDEDIR}/actorbus")
set(actorbus_package "${CMAKE_INSTALL_LIBDIR}/cmake/actorbus")

install(
  TARGETS actorbus
  EXPORT actorbusTargets
  FILE_SET HEADERS DESTINATION "${actorbus_headers}"
  INCLUDES DESTINATION "${actorbus_headers}")
install(
  EXPORT actorbusTargets
  NAMESPACE actorbus::
  DESTINATION "${actorbus_package}")

if(ACTORBUS_REDIS)
  install(
    TARGETS actorbus_redis
    EXPORT actorbusRedisTargets
    FILE_SET HEADERS DESTINATION "${actorbus_headers}"
    INCLUDES DESTINATION "${actorbus_headers}")
  install(
    EXPORT actorbusRedisTargets
    NAMESPACE actorbus::
    DESTINATION "${actorbus_package}")
  configure_file(cmake/actorbus_redis.cmake.in "${CMAKE_CURRENT_BINARY_DIR}/actorbus_redis.cmake" @ONLY)
  install(FILES "${CMAKE_CURRENT_BINARY_DIR}/actorbus_redis.cmake" cmake/FindHiredis.cmake
          DESTINATION "${actorbus_package}")
endif()

configure_package_config_file(cmake/actorbusConfig.cmake.in actorbusConfig.cmake INSTALL_DESTINATION "${actorbus_package}")
write_basic_package_version_file(actorbusConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(
  FILES "${CMAKE_CURRENT_BINARY_DIR}/actorbusConfig.cmake"
        "${CMAKE_CURRENT_BINARY_DIR}/actorbusConfigVersion.cmake"
        cmake/FindCAF.cmake
  DESTINATION "${actorbus_package}")
