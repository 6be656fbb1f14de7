#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "canonical.hpp"
#include "tasks.hpp"

namespace agentloop {

/// The texts of prompts.json.
struct Prompts {
    std::string system;
    std::string user;
    std::string tests_failed;
    std::string timed_out;
    std::string no_code;

    /// Reads prompts.json; throws `InvalidInput`.
    static Prompts load(std::string const& path);
};

/// All that was said about one task, ready to be sent.
///
/// Source: runtimes/CONTRACT.md, "One task", and runtimes/contract/vectors/messages.json.
class Conversation {
  public:
    /// Begins with the system's and the user's message; `prompts` must outlive the conversation.
    Conversation(Prompts const& prompts, Task const& task);

    /// Goes on after a reply without a code block.
    void no_code(std::string reply);

    /// Goes on after a reply whose tests had to be stopped.
    void timed_out(std::string reply);

    /// Goes on after a reply that did not pass; `output` is the normalised output of the tests.
    void tests_failed(std::string reply, std::string_view output);

    /// The request body, in canonical JSON; `request` holds the further fields.
    std::string body(std::string_view model, CanonicalFields const& request) const;

  private:
    struct Message {
        std::string_view role;
        std::string content;
    };

    void go_on(std::string reply, std::string answer);

    Prompts const* prompts_;
    std::vector<Message> messages_;
};

}  // namespace agentloop
