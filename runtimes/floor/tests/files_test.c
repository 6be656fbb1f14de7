// Files in a workspace: how they are written, how they are gone, and that no path leads elsewhere.

#include "file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "tools.h"
#include "workspace.h"

static int open_new_folder(char *path) {
    CHECK(mkdtemp(path) != NULL);
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void make_file(int folder, char const *name, char const *content) {
    CHECK(file_write_in(folder, name, slice_of(content)));
}

static void test_remove_tree(void) {
    char path[] = "/tmp/floor-test-XXXXXX";
    int const folder = open_new_folder(path);
    name_case("remove_tree", SLICE("deep, locked and linked"));
    int here = dup(folder);
    for (int depth = 0; depth < 300; ++depth) {
        make_file(here, "file", "x");
        CHECK(mkdirat(here, "inner", S_IRWXU) == 0);
        int const below = openat(here, "inner", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        fchmod(here, 0);
        close(here);
        here = below;
    }
    close(here);
    char outside[] = "/tmp/floor-test-XXXXXX";
    int const other = open_new_folder(outside);
    make_file(other, "kept", "x");
    fchmod(folder, S_IRWXU);
    CHECK(symlinkat(outside, folder, "link") == 0);
    CHECK(mkfifoat(folder, "pipe", 0) == 0);
    CHECK(remove_tree(AT_FDCWD, path));
    CHECK(access(path, F_OK) != 0);
    CHECK(faccessat(other, "kept", F_OK, 0) == 0);
    name_case("remove_tree", SLICE("something in its place"));
    CHECK(symlink(outside, path) == 0);
    CHECK(remove_tree(AT_FDCWD, path));
    CHECK(faccessat(other, "kept", F_OK, 0) == 0);
    CHECK(remove_tree(AT_FDCWD, path));
    CHECK(remove_tree(AT_FDCWD, outside));
    close(folder);
    close(other);
}

/// What a tool says, or what it refuses with.
static struct buffer answer;

static bool writes(struct workspace workspace, char const *path, char const *content) {
    buffer_clear(&answer);
    return tool_write_file(workspace, slice_of(path), slice_of(content), &answer);
}

static bool reads(struct workspace workspace, char const *path) {
    struct buffer problem = {0};
    buffer_clear(&answer);
    bool const is_read = tool_read_file(workspace, slice_of(path), &answer, &problem);
    buffer_free(&problem);
    return is_read;
}

static bool lists(struct workspace workspace, char const *path) {
    struct buffer problem = {0};
    buffer_clear(&answer);
    bool const is_listed = tool_list_dir(workspace, slice_of(path), &answer, &problem);
    buffer_free(&problem);
    return is_listed;
}

static bool searches(struct workspace workspace, char const *text, char const *path) {
    struct buffer problem = {0};
    buffer_clear(&answer);
    bool const is_found = tool_search(workspace, slice_of(text), slice_of(path), &answer, &problem);
    buffer_free(&problem);
    return is_found;
}

static void test_tools(struct workspace workspace) {
    name_case("tools", SLICE("what they do"));
    CHECK(writes(workspace, "./b//c.txt", "one\r\ntwo\nthree one"));
    CHECK(writes(workspace, "b/c.txt", "one\r\ntwo\nthree one"));
    CHECK(writes(workspace, "a", "\xff one"));
    CHECK(reads(workspace, "b/c.txt"));
    CHECK_TEXT(buffer_slice(&answer), SLICE("one\r\ntwo\nthree one"));
    CHECK(lists(workspace, "."));
    CHECK_TEXT(buffer_slice(&answer), SLICE("[\"a\",\"b/\"]"));
    CHECK(lists(workspace, "b/"));
    CHECK_TEXT(buffer_slice(&answer), SLICE("[\"c.txt\"]"));
    CHECK(searches(workspace, "one", ""));
    CHECK_TEXT(buffer_slice(&answer), SLICE("[{\"path\":\"a\",\"line\":1,\"text\":\"\xef\xbf\xbd one\"},"
                                            "{\"path\":\"b/c.txt\",\"line\":1,\"text\":\"one\"},"
                                            "{\"path\":\"b/c.txt\",\"line\":3,\"text\":\"three one\"}]"));
    CHECK(searches(workspace, "two", "b"));
    CHECK_TEXT(buffer_slice(&answer), SLICE("[{\"path\":\"b/c.txt\",\"line\":2,\"text\":\"two\"}]"));
}

static void test_confinement(struct workspace workspace) {
    CHECK(symlinkat("/etc", workspace.folder, "link") == 0);
    CHECK(symlinkat("/etc/passwd", workspace.folder, "file") == 0);
    char const *const elsewhere[] = {"/etc/passwd", "..",   "b/../../x", "link/passwd",
                                     "link",        "file", "link/x/y"};
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; ++i) {
        name_case("tools", slice_of(elsewhere[i]));
        CHECK(!writes(workspace, elsewhere[i], "x"));
        CHECK(!reads(workspace, elsewhere[i]));
        CHECK(!lists(workspace, elsewhere[i]));
        CHECK(!searches(workspace, "x", elsewhere[i]));
    }
    name_case("tools", SLICE("what they refuse with"));
    CHECK(!writes(workspace, "link/passwd", "x"));
    CHECK_TEXT(buffer_slice(&answer),
               SLICE("'link/passwd': goes through a symbolic link or something that is no folder"));
    CHECK(!writes(workspace, "../x", "x"));
    CHECK_TEXT(buffer_slice(&answer), SLICE("'../x': is not a path inside the workspace"));
    CHECK(!writes(workspace, ".", "x"));
    CHECK(!reads(workspace, "b"));
    CHECK(!reads(workspace, "missing"));
}

void test_files(void) {
    test_remove_tree();
    char path[] = "/tmp/floor-test-XXXXXX";
    struct workspace const workspace = {open_new_folder(path)};
    test_tools(workspace);
    test_confinement(workspace);
    close(workspace.folder);
    buffer_free(&answer);
    CHECK(remove_tree(AT_FDCWD, path));
}
