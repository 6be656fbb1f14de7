#include "tools.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include "errors.hpp"
#include "temporary_folder.hpp"

using namespace agentloop;
namespace fs = std::filesystem;

namespace {

/// A workspace with links that lead out of it.
struct Scene {
    TemporaryFolder folder;
    std::string workspace = folder / "workspace";
    std::string outside = folder / "outside";
    ToolDispatcher tools{workspace};

    Scene() {
        fs::create_directory(workspace);
        fs::create_directory(outside);
        write_text(folder / "secret", "secret");
        fs::create_symlink("../secret", workspace + "/link");
        fs::create_directory_symlink("../outside", workspace + "/folder-link");
    }
};

Environment const ENVIRONMENT = {{"PATH", "/usr/bin:/bin"}};

std::vector<std::string> shown(std::vector<SearchMatch> const& matches) {
    std::vector<std::string> lines;
    for (auto const& [path, line, text] : matches)
        lines.push_back(path + ":" + std::to_string(line) + ": " + text);
    return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("what is written can be read") {
    Scene const scene;
    scene.tools.write_file("a/b/c.py", "x = 'ü'\r\n");
    CHECK(text_of(scene.workspace + "/a/b/c.py") == "x = 'ü'\r\n");
    CHECK(scene.tools.read_file("a/./b//c.py") == "x = 'ü'\r\n");
    scene.tools.write_file("a/b/c.py", "");
    CHECK(scene.tools.read_file("a/b/c.py").empty());
    CHECK(scene.tools.list_dir("a/b/") == Lines{"c.py"});
}

TEST_CASE("what is not UTF-8 is read as U+FFFD") {
    Scene const scene;
    write_text(scene.workspace + "/bytes", "a\xFF\xE2\x82z");
    CHECK(scene.tools.read_file("bytes") == "a\uFFFD\uFFFDz");
}

TEST_CASE("writing fails as a whole") {
    Scene const scene;
    fs::create_directory(scene.workspace + "/folder");
    CHECK_THROWS_WITH_AS(scene.tools.write_file("folder", "x"), "folder: Is a directory", std::system_error);
    CHECK(scene.tools.list_dir() == Lines{"folder-link", "folder/", "link"});
}

TEST_CASE("paths that lead outside") {
    Scene const scene;
    for (std::string const& path : {std::string("/etc/passwd"), std::string(".."), std::string("../secret"),
                                    std::string("a/../../secret"), std::string(""), std::string("."),
                                    std::string("a\0b", 3), std::string("/"), std::string("folder/..")}) {
        CAPTURE(path);
        auto const told = "'" + path + "': is not a path inside the workspace";
        CHECK_THROWS_WITH_AS(scene.tools.read_file(path), told.c_str(), ToolRefused);
        CHECK_THROWS_WITH_AS(scene.tools.write_file(path, "x"), told.c_str(), ToolRefused);
    }
    CHECK_THROWS_AS(scene.tools.list_dir(".."), ToolRefused);
    CHECK_THROWS_AS(scene.tools.search("x", "/"), ToolRefused);
    CHECK(text_of(scene.folder / "secret") == "secret");
}

TEST_CASE("links are not followed") {
    Scene const scene;
    for (std::string const path :
         {"folder-link/new", "folder-link/a/new", "link/new", "link", "folder-link"}) {
        auto const told = path + ": goes through a symbolic link or something that is no folder";
        CHECK_THROWS_WITH_AS(scene.tools.write_file(path, "x"), told.c_str(), ToolRefused);
    }
    CHECK(fs::is_empty(scene.outside));
    CHECK(text_of(scene.folder / "secret") == "secret");
    CHECK_THROWS_WITH_AS(scene.tools.read_file("link"),
                         "link: goes through a symbolic link or something that is no folder", ToolRefused);
    CHECK_THROWS_WITH_AS(scene.tools.list_dir("folder-link"),
                         "folder-link: goes through a symbolic link or something that is no folder",
                         ToolRefused);
}

TEST_CASE("a workspace that was exchanged for a link") {
    Scene const scene;
    fs::remove_all(scene.workspace);
    fs::create_directory_symlink("outside", scene.workspace);
    CHECK_THROWS_AS(scene.tools.write_file("new", "x"), ToolRefused);
    CHECK_THROWS_AS(scene.tools.list_dir(), ToolRefused);
    CHECK(fs::is_empty(scene.outside));
}

TEST_CASE("what is no file") {
    Scene const scene;
    REQUIRE(mkfifo((scene.workspace + "/pipe").c_str(), 0600) == 0);
    fs::create_directory(scene.workspace + "/folder");
    CHECK_THROWS_WITH_AS(scene.tools.read_file("pipe"), "pipe: is no file", ToolRefused);
    CHECK_THROWS_WITH_AS(scene.tools.read_file("folder"), "folder: is no file", ToolRefused);
    CHECK_THROWS_WITH_AS(scene.tools.read_file("nothing"), "nothing: No such file or directory",
                         std::system_error);
}

TEST_CASE("folders are listed by code point") {
    Scene const scene;
    for (std::string const name : {"b", "B", "é", "\uFF01", "😀", "a.py"})
        scene.tools.write_file(name, "");
    scene.tools.write_file("a/x", "");
    CHECK(scene.tools.list_dir("") ==
          Lines{"B", "a.py", "a/", "b", "folder-link", "link", "é", "\uFF01", "😀"});
    CHECK(scene.tools.list_dir(".") == scene.tools.list_dir(""));
}

TEST_CASE("search finds lines in all files below a folder, by path") {
    Scene const scene;
    scene.tools.write_file("b.py", "needle\nhay\nneedle and hay\r\n");
    scene.tools.write_file("a/z/deep.txt", "hay\r\n\nneedle");
    scene.tools.write_file("a/b.txt", "a needle");
    scene.tools.write_file("a.txt", "needle\u2028needle\r");
    write_text(scene.folder / "outside/needle", "needle");
    REQUIRE(mkfifo((scene.workspace + "/pipe").c_str(), 0600) == 0);
    CHECK(shown(scene.tools.search("needle")) == Lines{"a.txt:1: needle\u2028needle\r", "a/b.txt:1: a needle",
                                                       "a/z/deep.txt:3: needle", "b.py:1: needle",
                                                       "b.py:3: needle and hay"});
    CHECK(shown(scene.tools.search("needle", "./a//z/")) == Lines{"a/z/deep.txt:3: needle"});
    CHECK(scene.tools.search("nothing").empty());
    CHECK_THROWS_AS(scene.tools.search("needle", "nothing"), std::system_error);
}

TEST_CASE("commands run in the workspace, with their environment alone") {
    Scene const scene;
    auto const ended = scene.tools.bash("pwd; echo $PATH; echo e >&2; exit 3", ENVIRONMENT, 60, 1000);
    CHECK(ended.output == scene.workspace + "\n/usr/bin:/bin\n");
    CHECK(ended.errors == "e\n");
    CHECK(ended.exit_code == 3);
    CHECK(!ended.signal);
    CHECK(!ended.timed_out);
}

TEST_CASE("commands that are stopped, killed or talkative") {
    Scene const scene;
    auto const stopped = scene.tools.bash("echo x; sleep 100 & sleep 100", ENVIRONMENT, 0.3, 1000);
    CHECK(stopped.timed_out);
    CHECK(stopped.signal == 9);
    CHECK(!stopped.exit_code);
    auto const killed = scene.tools.bash("kill -15 $$", ENVIRONMENT, 60, 1000);
    CHECK(killed.signal == 15);
    CHECK(scene.tools.bash("printf %030d 7", ENVIRONMENT, 60, 20).output == "00000000000000000007");
}

TEST_CASE("commands need a bash") {
    Scene const scene;
    CHECK_THROWS_WITH_AS(scene.tools.bash("true", {}, 60, 1000),
                         "bash is no program that can be found and run; set PATH in env", ToolRefused);
}
