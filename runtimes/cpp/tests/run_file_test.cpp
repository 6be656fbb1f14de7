#include "run_file.hpp"

#include <doctest/doctest.h>

#include "errors.hpp"
#include "temporary_folder.hpp"

using namespace agentloop;
using nlohmann::json;

namespace {

/// A run file that can be used, in a folder of its own.
struct Settings {
    TemporaryFolder folder;
    json values;

    Settings() {
        std::filesystem::create_directory(folder / "workspaces");
        values = {
            {"contract_version", 1},
            {"tasks_file", folder / "tasks.jsonl"},
            {"prompts_file", CONTRACT_FOLDER "/prompts.json"},
            {"base_url", "http://localhost:1/v1"},
            {"model", "m"},
            {"request", json::object()},
            {"agents", 1},
            {"max_retries", 0},
            {"verify",
             {{"argv", {"true"}},
              {"env", {{"PATH", "/usr/bin:/bin"}}},
              {"timeout_s", 1},
              {"slots", 1},
              {"output_limit_bytes", 1}}},
            {"timeouts", {{"connect_s", 1}, {"event_idle_s", 0.5}, {"total_s", 1e3}}},
            {"transport", {{"max_retries", 0}, {"base_s", 0}, {"cap_s", 0.0}}},
            {"workspaces", folder / "workspaces"},
            {"events", folder / "events.jsonl"},
        };
    }

    std::string path() const { return folder / "run.json"; }

    RunFile load() const {
        write_text(path(), values.dump());
        return load_run_file(path());
    }
};

/// Why a run file cannot be used, after its path.
std::string reason(std::string const& path) {
    try {
        load_run_file(path);
    } catch (InvalidInput const& failure) {
        std::string const message = failure.what();
        CHECK(message.find('\n') == std::string::npos);
        REQUIRE(message.starts_with(path + ": "));
        return message.substr(path.size() + 2);
    }
    return "can be used";
}

std::string reason(Settings const& settings) {
    write_text(settings.path(), settings.values.dump());
    return reason(settings.path());
}

json::json_pointer pointer(std::string const& field) {
    auto path = "/" + field;
    std::replace(path.begin(), path.end(), '.', '/');
    return json::json_pointer(path);
}

struct Bad {
    std::string field;
    json value;
    std::string told;
};

std::vector<Bad> const BAD = {
    {"contract_version", 2, "is 2; it must be 1, the one that this runtime obeys"},
    {"contract_version", "1", "is \"1\"; it must be an integer of at least 0"},
    {"tasks_file", 7, "is 7; it must be a string"},
    {"prompts_file", "", "is \"\"; it must be a path"},
    {"prompts_file", std::string("a\0b", 3), "is \"a\\u0000b\"; it must be a path"},
    {"base_url", "localhost",
     "is \"localhost\"; it must be http:// or https://, a host, a port if need be, and a path"},
    {"model", nullptr, "is null; it must be a string"},
    {"request", json::array(), "is []; it must be an object"},
    {"request",
     {{"stream", false}},
     "is {\"stream\":false}; it must be an object without messages, model, stream"},
    {"agents", 0, "is 0; it must be an integer of at least 1"},
    {"agents", true, "is true; it must be an integer of at least 1"},
    {"agents", 1.5, "is 1.5; it must be an integer of at least 1"},
    {"agents", 1.0, "is 1.0; it must be an integer of at least 1"},
    {"agents", 18446744073709551615U, "is 18446744073709551615; it must be an integer of at least 1"},
    {"max_retries", -1, "is -1; it must be an integer of at least 0"},
    {"verify", "x", "is \"x\"; it must be an object"},
    {"verify.argv", json::array(), "is []; it must be a list of strings, at least one"},
    {"verify.argv", {"a", 1}, "is [\"a\",1]; it must be a list of strings, at least one"},
    {"verify.argv", {std::string("a\0", 2)}, "is [\"a\\u0000\"]; it must be a list of strings, at least one"},
    {"verify.env", {{"A", 1}}, "is {\"A\":1}; it must be an object of strings"},
    {"verify.env", {{"A=B", ""}}, "is {\"A=B\":\"\"}; it must be an object of strings"},
    {"verify.env", {{"", ""}}, "is {\"\":\"\"}; it must be an object of strings"},
    {"verify.timeout_s", 0, "is 0; it must be a number above 0"},
    {"verify.slots", 0, "is 0; it must be an integer of at least 1"},
    {"verify.output_limit_bytes", 0, "is 0; it must be an integer of at least 1"},
    {"timeouts.connect_s", -1, "is -1; it must be a number above 0"},
    {"timeouts.event_idle_s", "1", "is \"1\"; it must be a number above 0"},
    {"timeouts.total_s", false, "is false; it must be a number above 0"},
    {"transport.max_retries", 0.5, "is 0.5; it must be an integer of at least 0"},
    {"transport.base_s", -0.1, "is -0.1; it must be a number of at least 0"},
    {"transport.cap_s", nullptr, "is null; it must be a number of at least 0"},
    {"workspaces", "/no/such/folder",
     "is \"/no/such/folder\"; it must be an existing folder that can be written to"},
    {"workspaces", "/dev/null", "is \"/dev/null\"; it must be an existing folder that can be written to"},
    {"events", json::object(), "is {}; it must be a string"},
};

}  // namespace

TEST_CASE("bad fields") {
    Settings const good;
    for (auto const& [field, value, told] : BAD) {
        CAPTURE(field);
        auto values = good.values;
        values[pointer(field)] = value;
        write_text(good.path(), values.dump());
        CHECK(reason(good.path()) == field + " " + told);
    }
}

TEST_CASE("missing fields") {
    Settings const good;
    for (auto const& [field, value, told] : BAD) {
        CAPTURE(field);
        auto values = good.values;
        auto const place = pointer(field);
        values[place.parent_pointer()].erase(place.back());
        write_text(good.path(), values.dump());
        CHECK(reason(good.path()).starts_with(field + " is missing; it must be "));
    }
}

TEST_CASE("long values are cut") {
    Settings settings;
    settings.values["base_url"] = std::string(100, 'a');
    CHECK(reason(settings).starts_with("base_url is \"" + std::string(59, 'a') + "…; it must be http://"));
}

TEST_CASE("base URLs") {
    Settings settings;
    for (auto const& good : std::vector<std::string>{
             "http://h", "https://h/", "http://a.b./v1", "http://1.2.3.4:65535/v1", "http://[::1]:80/v1",
             "http://a_b-c/v1/@~!", "http://h/" + std::string(1000, 'p')}) {
        CAPTURE(good);
        settings.values["base_url"] = good;
        CHECK(settings.load().base_url == good);
    }
    for (auto const& bad : std::vector<std::string>{"",
                                                    "http://",
                                                    "ftp://h",
                                                    "http:///v1",
                                                    "http://h:/v1",
                                                    "http://h:65536/v1",
                                                    "http://h:123456/v1",
                                                    "http://h?x",
                                                    "http://h/v1?x=1",
                                                    "http://h/v1#x",
                                                    "http://user@h/v1",
                                                    "http://a..b/v1",
                                                    "http://.a/v1",
                                                    "http://h/v1\r\nX: y",
                                                    "http://h/a b",
                                                    "http://h/ü",
                                                    "http://[]/v1",
                                                    "http://[g]/v1",
                                                    "http://[::1/v1",
                                                    "http://-x y",
                                                    "HTTP://h",
                                                    "http://" + std::string(64, 'a') + "/v1"}) {
        CAPTURE(bad);
        settings.values["base_url"] = bad;
        CHECK(reason(settings).find("; it must be http:// or https://, a host") != std::string::npos);
    }
}

TEST_CASE("what is no JSON object") {
    TemporaryFolder const folder;
    auto const told = [&](std::string_view text) {
        write_text(folder / "run.json", text);
        return reason(folder / "run.json");
    };
    CHECK(told("[]") == "holds []; write one JSON object there");
    CHECK(told("7") == "holds 7; write one JSON object there");
    CHECK(told("").starts_with("is not JSON (parse error at line 1, column 1: "));
    CHECK(told("{\n} {}").starts_with("is not JSON (parse error at line 2, column 3: "));
    CHECK(told(R"({"a": NaN})").starts_with("is not JSON (at a: parse error at "));
    CHECK(told(R"({"timeouts": {"total_s": 1e999}})") ==
          "is not JSON (at timeouts.total_s: number overflow parsing '1e999'); write one JSON object there");
    CHECK(told(std::string(100'000, '[')) ==
          "is not JSON (objects and lists lie more than 200 deep); write one JSON object there");
}

TEST_CASE("run files that cannot be read") {
    TemporaryFolder const folder;
    CHECK(reason(folder / "nothing") ==
          "cannot be read (No such file or directory); name a UTF-8 file that is there");
    CHECK(reason(folder.path()) == "cannot be read (Is a directory); name a UTF-8 file that is there");
}

TEST_CASE("a good run file") {
    Settings settings;
    std::filesystem::create_directory_symlink("workspaces", settings.folder / "link");
    settings.values["workspaces"] = settings.folder / "link/../link/.";
    settings.values["of a later version"] = 1;
    settings.values["agents"] = 9223372036854775807;
    settings.values["timeouts"]["connect_s"] = 1e308;
    settings.values["request"] = {{"temperature", 0.5}};
    auto const run = settings.load();
    CHECK(run.tasks_file == settings.folder / "tasks.jsonl");
    CHECK(run.model == "m");
    CHECK(run.request == json{{"temperature", 0.5}});
    CHECK(run.agents == 9223372036854775807);
    CHECK(run.max_retries == 0);
    CHECK(run.verify.argv == std::vector<std::string>{"true"});
    CHECK(run.verify.env == Environment{{"PATH", "/usr/bin:/bin"}});
    CHECK(run.verify.output_limit_bytes == 1);
    CHECK(run.timeouts.connect_s == 1e308);
    CHECK(run.timeouts.event_idle_s == 0.5);
    CHECK(run.timeouts.total_s == 1000);
    CHECK(run.transport.cap_s == 0);
    CHECK(run.workspaces == settings.folder / "workspaces");
    CHECK(run.events == settings.folder / "events.jsonl");
}
