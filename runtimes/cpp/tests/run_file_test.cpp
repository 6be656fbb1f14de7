#include "run_file.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "errors.hpp"
#include "json_text.hpp"
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
        values = parse_json(R"({
            "contract_version": 1, "base_url": "http://localhost:1/v1", "model": "m", "request": {}, "agents": 1,
            "max_retries": 0,
            "verify": {"argv": ["true"], "env": {"PATH": "/usr/bin:/bin"}, "timeout_s": 1, "slots": 1,
                       "output_limit_bytes": 1},
            "timeouts": {"connect_s": 1, "event_idle_s": 0.5, "total_s": 1e3},
            "transport": {"max_retries": 0, "base_s": 0, "cap_s": 0.0}
        })");
        values["tasks_file"] = folder / "tasks.jsonl";
        values["prompts_file"] = CONTRACT_FOLDER "/prompts.json";
        values["workspaces"] = folder / "workspaces";
        values["events"] = folder / "events.jsonl";
    }

    std::string path() const { return folder / "run.json"; }

    void write() const { write_text(path(), values.dump()); }

    RunFile load() const {
        write();
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
    settings.write();
    return reason(settings.path());
}

json::json_pointer pointer(std::string_view field) {
    auto path = "/" + std::string(field);
    std::replace(path.begin(), path.end(), '.', '/');
    return json::json_pointer(path);
}

/// A value that a field must not have, as JSON, and what it must be.
struct Bad {
    std::string_view field;
    std::string_view value;
    std::string_view wanted;
};

constexpr Bad BAD[] = {
    {"contract_version", R"(2)", "1, the one that this runtime obeys"},
    {"contract_version", R"("1")", "an integer of at least 0"},
    {"tasks_file", R"(7)", "a string"},
    {"prompts_file", R"("")", "a path"},
    {"prompts_file", R"("a\u0000b")", "a path"},
    {"model", R"(null)", "a string"},
    {"request", R"([])", "an object"},
    {"request", R"({"stream":false})", "an object without messages, model, stream"},
    {"agents", R"(0)", "an integer of at least 1"},
    {"agents", R"(true)", "an integer of at least 1"},
    {"agents", R"(1.5)", "an integer of at least 1"},
    {"agents", R"(1.0)", "an integer of at least 1"},
    {"agents", R"(18446744073709551615)", "an integer of at least 1"},
    {"max_retries", R"(-1)", "an integer of at least 0"},
    {"verify", R"("x")", "an object"},
    {"verify.argv", R"([])", "a list of strings, at least one"},
    {"verify.argv", R"(["a",1])", "a list of strings, at least one"},
    {"verify.argv", R"(["a\u0000"])", "a list of strings, at least one"},
    {"verify.env", R"({"A":1})", "an object of strings"},
    {"verify.env", R"({"A=B":""})", "an object of strings"},
    {"verify.env", R"({"":""})", "an object of strings"},
    {"verify.timeout_s", R"(0)", "a number above 0"},
    {"verify.slots", R"(0)", "an integer of at least 1"},
    {"verify.output_limit_bytes", R"(0)", "an integer of at least 1"},
    {"timeouts.connect_s", R"(-1)", "a number above 0"},
    {"timeouts.event_idle_s", R"("1")", "a number above 0"},
    {"timeouts.total_s", R"(false)", "a number above 0"},
    {"transport.max_retries", R"(0.5)", "an integer of at least 0"},
    {"transport.base_s", R"(-0.1)", "a number of at least 0"},
    {"transport.cap_s", R"(null)", "a number of at least 0"},
    {"workspaces", R"("/no/such/folder")", "an existing folder that can be written to"},
    {"workspaces", R"("/dev/null")", "an existing folder that can be written to"},
    {"events", R"({})", "a string"},
};

}  // namespace

TEST_CASE("bad fields") {
    for (auto const& [field, value, wanted] : BAD) {
        CAPTURE(field);
        CAPTURE(value);
        Settings settings;
        settings.values[pointer(field)] = parse_json(value);
        CHECK(reason(settings) ==
              std::string(field).append(" is ").append(value).append("; it must be ").append(wanted));
    }
}

TEST_CASE("missing fields") {
    for (auto const& [field, value, wanted] : BAD) {
        CAPTURE(field);
        Settings settings;
        auto const place = pointer(field);
        settings.values[place.parent_pointer()].erase(place.back());
        CHECK(reason(settings).starts_with(std::string(field) + " is missing; it must be "));
    }
}

TEST_CASE("a refused base_url, which may hold a password, is not shown") {
    for (auto const* const value : {"localhost", "http://me:swordfish@h/v1"}) {
        Settings settings;
        settings.values["base_url"] = value;
        CHECK(reason(settings) ==
              "base_url (not shown) must be http:// or https://, a host without a user, a port "
              "if need be, a path and a query");
    }
}

TEST_CASE("long values are cut") {
    Settings settings;
    settings.values["agents"] = std::string(100, 'a');
    CHECK(reason(settings).starts_with("agents is \"" + std::string(59, 'a') + "…; it must be an integer"));
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
    settings.values["request"] = parse_json(R"({"temperature": 0.5})");
    auto const run = settings.load();
    CHECK(run.tasks_file == settings.folder / "tasks.jsonl");
    CHECK(run.base_url.port == 1);
    CHECK(run.base_url.target == "/v1/chat/completions");
    CHECK(run.model == "m");
    CHECK(run.request == CanonicalFields{{"temperature", "0.5"}});
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
