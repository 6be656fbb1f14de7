#include "tasks.hpp"

#include <cerrno>
#include <unordered_set>

#include "fields.hpp"

namespace agentloop {
namespace {

InvalidInput unreadable(std::string const& path, std::error_code failure) {
    return InvalidInput(path + ": cannot be read (" + failure.message() +
                        "); name a UTF-8 file that is there");
}

}  // namespace

TaskReader::TaskReader(std::string const& path)
    : path_(path), file_(std::fopen(path.c_str(), "re"), std::fclose), lines_(file_.get()) {
    if (!file_)
        throw unreadable(path, {errno, std::generic_category()});
}

std::optional<Task> TaskReader::next() {
    std::optional<std::string_view> line;
    try {
        line = lines_.next();
    } catch (std::system_error const& failure) {
        throw unreadable(path_, failure.code());
    }
    if (!line)
        return std::nullopt;
    auto const fields = Fields::of_text(path_ + ", line " + std::to_string(++line_number_), *line);
    return Task{
        .task_id = fields.text("task_id"),
        .prompt = fields.text("prompt"),
        .tests = fields.text("tests"),
        .entry_point = fields.text("entry_point"),
        .start_after_ns = fields.integer("start_after_ns", 0, 0),
    };
}

std::size_t check_tasks(std::string const& path) {
    std::unordered_set<std::string> seen;
    TaskReader tasks(path);
    while (auto task = tasks.next())
        if (auto const [task_id, is_new] = seen.insert(std::move(task->task_id)); !is_new)
            throw InvalidInput(path + ": task_id '" + *task_id + "' is there twice; give every task its own");
    if (seen.empty())
        throw InvalidInput(path + ": holds no task; write one JSON object a line");
    return seen.size();
}

}  // namespace agentloop
