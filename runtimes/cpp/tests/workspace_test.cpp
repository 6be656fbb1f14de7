#include "workspace.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <stop_token>
#include <thread>

#include "errors.hpp"
#include "file_descriptor.hpp"
#include "temporary_folder.hpp"

using namespace agentloop;
namespace fs = std::filesystem;

namespace {

void remove_tree(std::string const& path, std::chrono::milliseconds patience = REMOVAL_PATIENCE) {
    TreeRemoval(path, patience).proceed(NEVER);
}

/// The names of all that lies below a folder.
std::set<std::string> names_below(std::string const& folder) {
    std::set<std::string> names;
    for (auto const& entry : fs::recursive_directory_iterator(folder))
        names.insert(entry.path().filename());
    return names;
}

}  // namespace

TEST_CASE("a workspace is new and empty, and gone when it is removed or left") {
    TemporaryFolder const parent;
    {
        Workspace first(parent.path());
        Workspace const second(parent.path());
        CHECK(first.path() != second.path());
        CHECK(first.path().starts_with(parent / "attempt-"));
        CHECK(fs::is_empty(first.path()));
        write_text(first.path() + "/file", "x");
        write_text(second.path() + "/file", "x");
        CHECK(first.remove(NEVER));
        CHECK(!fs::exists(first.path()));
        CHECK(fs::exists(second.path()));
    }
    CHECK(fs::is_empty(parent.path()));
}

TEST_CASE("a workspace needs a folder to be in") {
    CHECK_THROWS_WITH_AS(Workspace{"/no/such/folder"}, "/no/such/folder: No such file or directory",
                         std::system_error);
}

TEST_CASE("a workspace that is gone already") {
    TemporaryFolder const parent;
    Workspace workspace(parent.path());
    fs::remove(workspace.path());
    CHECK(workspace.remove(NEVER));
    remove_tree(parent / "never there");
    CHECK(fs::is_empty(parent.path()));
}

TEST_CASE("links are removed and not followed") {
    TemporaryFolder const parent;
    auto const outside = parent / "outside";
    fs::create_directory(outside);
    write_text(outside + "/precious", "x");
    fs::permissions(outside, fs::perms::owner_read | fs::perms::owner_exec);
    {
        Workspace const workspace(parent.path());
        auto const inner = workspace.path() + "/a/b";
        fs::create_directories(inner);
        for (auto const& place : {workspace.path(), inner}) {
            fs::create_directory_symlink(outside, place + "/to folder");
            fs::create_symlink(outside + "/precious", place + "/to file");
            fs::create_symlink("nowhere", place + "/to nothing");
            fs::create_symlink("to itself", place + "/to itself");
        }
    }
    CHECK(names_below(parent.path()) == std::set<std::string>{"outside", "precious"});
    CHECK(fs::status(outside).permissions() == (fs::perms::owner_read | fs::perms::owner_exec));
}

TEST_CASE("a workspace that became a link or a file") {
    TemporaryFolder const parent;
    fs::create_directory(parent / "outside");
    write_text(parent / "outside/precious", "x");
    fs::create_directory_symlink("outside", parent / "link");
    remove_tree(parent / "link");
    write_text(parent / "file", "x");
    remove_tree(parent / "file");
    CHECK(names_below(parent.path()) == std::set<std::string>{"outside", "precious"});
}

TEST_CASE("folders without permissions, for who is not root") {
    TemporaryFolder const parent;
    fs::permissions(parent.path(), fs::perms::all);
    auto const child = fork();
    if (child == 0) {
        // A change of user forbids to look into one's own /proc/self/fd, unless this says otherwise.
        bool const is_nobody = getuid() != 0 || (setgid(65534) == 0 && setuid(65534) == 0);
        if (!is_nobody || prctl(PR_SET_DUMPABLE, 1) != 0)
            _exit(2);
        try {
            Workspace workspace(parent.path());
            fs::create_directories(workspace.path() + "/a/b/c");
            write_text(workspace.path() + "/a/b/file", "x");
            for (std::string const name : {"/a/b/c", "/a/b", "/a", ""})
                fs::permissions(workspace.path() + name, fs::perms::none);
            workspace.remove(NEVER);
        } catch (std::exception const&) {
            _exit(1);
        }
        _exit(0);
    }
    int status = -1;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    CHECK(fs::is_empty(parent.path()));
}

TEST_CASE("depth beyond any stack and any path") {
    TemporaryFolder const parent;
    {
        Workspace const workspace(parent.path());
        std::string const name(200, 'd');
        FileDescriptor here(open(workspace.path().c_str(), O_RDONLY | O_DIRECTORY));
        for (int depth = 0; depth < 1200; ++depth) {
            REQUIRE(mkdirat(here.get(), name.c_str(), 0777) == 0);
            here = FileDescriptor(openat(here.get(), name.c_str(), O_RDONLY | O_DIRECTORY));
        }
    }
    CHECK(fs::is_empty(parent.path()));
}

TEST_CASE("a removal whose time is over has removed one file at most") {
    TemporaryFolder const parent;
    Workspace workspace(parent.path());
    constexpr std::size_t FILES = 100;
    fs::create_directories(workspace.path() + "/inner/most");
    for (std::size_t number = 0; number < FILES; ++number)
        for (std::string const folder : {"/", "/inner/", "/inner/most/"})
            write_text(workspace.path() + folder + std::to_string(number), "x");
    auto const files = [&] {
        return static_cast<std::size_t>(
            std::count_if(fs::recursive_directory_iterator(parent.path()), {},
                          [](auto const& entry) { return entry.is_regular_file(); }));
    };
    auto left = files();
    CHECK(left == 3 * FILES);
    bool is_gone = false;
    while (!is_gone) {
        is_gone = workspace.remove(Clock::now());
        auto const now_left = files();
        CHECK(left - now_left <= 1);
        left = now_left;
    }
    CHECK(workspace.remove(Clock::now()));
    CHECK(fs::is_empty(parent.path()));
}

TEST_CASE("names of any bytes, and what is neither file nor folder") {
    TemporaryFolder const parent;
    {
        Workspace const workspace(parent.path());
        for (std::string const& name :
             {std::string("\xFF"), std::string("new\nline"), std::string("-rf"), std::string(255, 'a')})
            fs::create_directories(workspace.path() + "/" + name + "/\n0");
        REQUIRE(mkfifo((workspace.path() + "/pipe").c_str(), 0600) == 0);
    }
    CHECK(fs::is_empty(parent.path()));
}

TEST_CASE("what is being written is removed too, and the writer has nowhere to write to") {
    TemporaryFolder const parent;
    Workspace workspace(parent.path());
    std::jthread const writer([&](std::stop_token const& stop) {
        FileDescriptor const folder(open(workspace.path().c_str(), O_RDONLY | O_DIRECTORY));
        while (!stop.stop_requested()) {
            FileDescriptor const file(openat(folder.get(), "file", O_WRONLY | O_CREAT, 0600));
            if (!file && errno == ENOENT)
                return;
        }
    });
    while (fs::is_empty(workspace.path()))
        std::this_thread::yield();
    CHECK(workspace.remove(NEVER));
    CHECK(fs::is_empty(parent.path()));
}

TEST_CASE("a writer that never ends does not hold the run") {
    TemporaryFolder const parent;
    auto const path = parent / "folder";
    std::jthread const writer([&](std::stop_token const& stop) {
        while (!stop.stop_requested()) {
            FileDescriptor const folder(open(path.c_str(), O_RDONLY | O_DIRECTORY));
            for (int number = 0; folder && !stop.stop_requested(); ++number)
                if (!FileDescriptor(openat(folder.get(), std::to_string(number).c_str(), O_CREAT, 0600)))
                    break;
        }
    });
    // Now and then the folder is empty just when it is to be removed; then it is there again.
    std::string told;
    while (told.empty()) {
        fs::create_directory(path);
        try {
            remove_tree(path, std::chrono::milliseconds(0));
        } catch (std::system_error const& failure) {
            told = failure.what();
        }
    }
    CHECK(told == path + ": a process that got away goes on writing there: Directory not empty");
}
