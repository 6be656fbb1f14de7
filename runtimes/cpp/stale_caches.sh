# Sourced by build.sh and test.sh: a cache of CMake names the folder that it was made for, which is another one in a
# checkout that was copied or moved, and CMake refuses to build with it.
for cache in build/*/CMakeCache.txt; do
    if [ -e "$cache" ] && ! [ "$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$cache")" -ef . ]; then
        rm -r "$(dirname "$cache")"
    fi
done
