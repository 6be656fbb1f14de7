/// Both clients, over real sockets, against a server that does everything wrong in turn.

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <barrier>
#include <latch>
#include <memory>
#include <semaphore>
#include <thread>

#include "async_llm_client.hpp"
#include "llm_client.hpp"
#include "scripted_server.hpp"
#include "stop.hpp"

using namespace agentloop;

namespace {

CurlLibrary const curl;

std::string const BODY = R"({"model":"m"})";

struct Options {
    std::string key;
    Timeouts timeouts{10, 60, 600};
    TransportRetries transport{2, 0.001, 0.002};
};

constexpr TransportRetries ONE_TRY{0, 0, 0};

/// What became of a completion.
struct Completed {
    std::string reply;
    std::string failure;
    Attempt attempt;
};

/// A client of either kind.
class Client {
  public:
    virtual ~Client() = default;
    virtual Completed complete(std::string const& body = BODY) = 0;
};

/// One blocking client.
class Blocking final : public Client {
  public:
    explicit Blocking(std::string const& url, Options const& options = {})
        : endpoint_(parse_base_url(url).value(), options.key, options.timeouts, options.transport),
          client_(endpoint_, {}) {}

    Completed complete(std::string const& body = BODY) override {
        Completed completed;
        try {
            completed.reply = client_.complete(body, completed.attempt);
        } catch (ChatFailed const& failed) {
            completed.failure = failed.what();
        }
        return completed;
    }

  private:
    Endpoint endpoint_;
    LLMClient client_;
};

/// One client in an event loop that runs while a completion is made.
class Awaited final : public Client {
  public:
    explicit Awaited(std::string const& url, Options const& options = {})
        : endpoint_(parse_base_url(url).value(), options.key, options.timeouts, options.transport),
          client_(loop_, endpoint_, 1000) {}

    Completed complete(std::string const& body = BODY) override {
        return std::move(complete_all({body}).front());
    }

    std::vector<Completed> complete_all(std::vector<std::string> const& bodies) {
        std::vector<Completed> completed(bodies.size());
        std::vector<Async<void>> work;
        for (std::size_t number = 0; number < bodies.size(); ++number)
            work.push_back(one(bodies[number], completed[number]));
        loop_.run(std::move(work));
        return completed;
    }

    EventLoop& loop() { return loop_; }

  private:
    Async<void> one(std::string body, Completed& completed) {
        try {
            completed.reply = co_await client_.complete(std::move(body), completed.attempt);
        } catch (ChatFailed const& failed) {
            completed.failure = failed.what();
        }
    }

    EventLoop loop_;
    Endpoint endpoint_;
    AsyncLLMClient client_;
};

/// Makes clients of one kind.
class ClientMaker {
  public:
    template <typename Kind>
    static ClientMaker of() {
        return ClientMaker([](std::string const& url, Options const& options) -> std::unique_ptr<Client> {
            return std::make_unique<Kind>(url, options);
        });
    }

    std::unique_ptr<Client> operator()(std::string const& url, Options const& options = {}) const {
        return make_(url, options);
    }

  private:
    using Make = std::unique_ptr<Client> (*)(std::string const& url, Options const& options);

    explicit ClientMaker(Make make) : make_(make) {}

    Make make_;
};

// A test of both clients, which `make` makes. Unlike with TEST_CASE_TEMPLATE alone, its body is compiled
// once.
#define DEFINE_TEST_OF_BOTH(body, title)                 \
    static void body(ClientMaker const& make);           \
    TEST_CASE_TEMPLATE(title, Kind, Blocking, Awaited) { \
        body(ClientMaker::of<Kind>());                   \
    }                                                    \
    static void body(ClientMaker const& make)
#define TEST_OF_BOTH(title) DEFINE_TEST_OF_BOTH(DOCTEST_ANONYMOUS(test_of_both_), title)

/// Why a completion could not be had.
std::string failure(ClientMaker const& make, std::string const& url, Options const& options = {}) {
    return make(url, options)->complete().failure;
}

Options with(TransportRetries const& transport) {
    Options options;
    options.transport = transport;
    return options;
}

Options with(Timeouts const& timeouts) {
    Options options;
    options.timeouts = timeouts;
    return options;
}

/// A port on which nobody listens.
std::string nobody() {
    return ScriptedServer([](Exchange const&) {}).url();
}

}  // namespace

TEST_OF_BOTH("a reply and its stamps") {
    ScriptedServer const server([](Exchange const& exchange) {
        exchange.send(Exchange::stream_head());
        exchange.send(Exchange::chunk(Exchange::content("Hel")));
        exchange.send(Exchange::chunk(Exchange::content("lo")));
        exchange.send(Exchange::chunk(Exchange::finish()));
        exchange.send(Exchange::chunk("data: {\"choices\":[],\"usage\":{\"total_tokens\":3}}\n\n"));
        exchange.send(Exchange::chunk("data: [DONE]\n\n"));
        exchange.send(Exchange::chunk(""));
    });
    Options options;
    options.key = "secret";
    auto const completed = make(server.url() + "/?a=../b", options)->complete();
    Attempt const& attempt = completed.attempt;
    CHECK(completed.reply == "Hello");
    CHECK(attempt.usage == R"({"total_tokens":3})");
    CHECK(attempt.transport_retries == 0);
    CHECK(attempt.transport_ns == 0);
    std::array const stamps{attempt.t_request.value(), attempt.t_first.value(), attempt.t_last.value(),
                            now_ns()};
    CHECK(std::ranges::is_sorted(stamps));
    CHECK(attempt.request_sha256 == sha256_hex(BODY));
    CHECK(attempt.completion_sha256 == sha256_hex("Hello"));
    CHECK(server.bodies() == std::vector{BODY});
    CHECK(server.heads().front() == "POST /v1/chat/completions?a=../b HTTP/1.1\r\nHost: " + server.host() +
                                        "\r\nAccept: text/event-stream\r\nContent-Type: application/json\r\n"
                                        "Authorization: Bearer secret\r\nContent-Length: 13\r\n");
}

TEST_OF_BOTH("without a key there is no header") {
    ScriptedServer const server([](Exchange const& exchange) { exchange.reply("x"); });
    CHECK(make(server.url())->complete().reply == "x");
    CHECK(server.heads().front().find("Authorization") == std::string::npos);
}

TEST_OF_BOTH("a large request is sent whole and at once") {
    std::string const large(3'000'000, 'x');
    ScriptedServer const server([](Exchange const& exchange) { exchange.reply("x"); });
    CHECK(make(server.url())->complete(large).reply == "x");
    CHECK(server.bodies().front() == large);
    CHECK(server.heads().front().find("Expect") == std::string::npos);
}

TEST_OF_BOTH("a connection is used again") {
    ScriptedServer const server(
        [](Exchange const& exchange) { exchange.reply("reply " + std::to_string(exchange.number)); });
    auto const client = make(server.url(), with(ONE_TRY));
    for (std::string const number : {"0", "1", "2"})
        CHECK(client->complete().reply == "reply " + number);
    CHECK(server.connections() == 1);
}

TEST_OF_BOTH("a connection is used again after trailers") {
    ScriptedServer const server([](Exchange const& exchange) {
        std::string const whole = Exchange::stream_head("Trailer: X-Cost\r\n") +
                                  Exchange::chunk(Exchange::content("x") + Exchange::finish()) +
                                  "0\r\nX-Cost: 1\r\n\r\n";
        exchange.send(whole);
    });
    auto const client = make(server.url(), with(ONE_TRY));
    for (int number = 0; number < 3; ++number)
        CHECK(client->complete().reply == "x");
    CHECK(server.connections() == 1);
}

TEST_OF_BOTH("an end of the body that comes late still frees the connection") {
    std::binary_semaphore is_complete(0);
    std::binary_semaphore is_ended(0);
    ScriptedServer const server([&](Exchange const& exchange) {
        std::string const reply = Exchange::whole("x");
        exchange.send(reply.substr(0, reply.size() - 5));
        is_complete.acquire();
        exchange.send("0\r\n\r\n");
        exchange.settle();
        is_ended.release();
    });
    auto const client = make(server.url(), with(ONE_TRY));
    for (int number = 0; number < 3; ++number) {
        CHECK(client->complete().reply == "x");
        is_complete.release();
        is_ended.acquire();
    }
    // In an event loop that does not run nobody notices.
    bool const is_blocking = dynamic_cast<Blocking const*>(client.get()) != nullptr;
    CHECK(server.connections() <= (is_blocking ? 1 : 3));
}

TEST_OF_BOTH("an idle connection that is of no use any more costs no try") {
    std::binary_semaphore is_replied(0);
    std::binary_semaphore is_over(0);
    bool closes = false;
    SUBCASE("closed") {
        closes = true;
    }
    SUBCASE("answered again") {}
    ScriptedServer const server([&](Exchange const& exchange) {
        exchange.reply("x");
        is_replied.acquire();
        closes ? exchange.shut() : exchange.refuse(408);
        exchange.settle();
        is_over.release();
    });
    auto const client = make(server.url(), with(ONE_TRY));
    for (int number = 0; number < 3; ++number) {
        CHECK(client->complete().reply == "x");
        is_replied.release();
        is_over.acquire();
    }
    CHECK(server.connections() == 3);
}

TEST_OF_BOTH("a second answer to one request is nobody's") {
    bool chunked = false;
    SUBCASE("to a body with a length") {}
    SUBCASE("to a body in chunks") {
        chunked = true;
    }
    // Each connection is given up, because libcurl would go on with the rest of the second answer.
    ScriptedServer const server([&](Exchange const& exchange) {
        auto const event = [](std::string_view text) { return Exchange::content(text) + Exchange::finish(); };
        std::string const strange = event("of nobody");
        auto const head = [](std::size_t size) {
            return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: " +
                   std::to_string(size) + "\r\n\r\n";
        };
        std::string const own = event(exchange.body);
        std::string const first = chunked ? Exchange::whole(exchange.body) : head(own.size()) + own;
        // The second body is still on its way when the connection might be used again.
        exchange.send(first + head(strange.size()));
        exchange.rest(10);
        exchange.send(strange);
    });
    auto const client = make(server.url(), with(ONE_TRY));
    for (std::string const body : {"first", "second", "third"})
        CHECK(client->complete(body).reply == body);
    CHECK(server.connections() == 3);
}

TEST_OF_BOTH("a second answer behind a refusal is nobody's") {
    ScriptedServer const server([](Exchange const& exchange) {
        std::string const strange = Exchange::content("of nobody") + Exchange::finish();
        exchange.send((exchange.number % 2 == 0 ? "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"
                                                : Exchange::whole(exchange.body)) +
                      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: " +
                      std::to_string(strange.size()) + "\r\n\r\n");
        exchange.rest(10);
        exchange.send(strange);
    });
    auto const client = make(server.url());
    for (std::string const body : {"first", "second", "third"})
        CHECK(client->complete(body).reply == body);
}

TEST_CASE("connections are passed on between coroutines, each of which gets its own answer") {
    // Nobody is answered before all have asked, so that none can pass its connection on within a round.
    std::barrier all_have_asked(20);
    ScriptedServer const server([&](Exchange const& exchange) {
        all_have_asked.arrive_and_wait();
        exchange.reply(exchange.body);
    });
    Awaited client(server.url(), with(ONE_TRY));
    for (int round = 0; round < 10; ++round) {
        std::vector<std::string> bodies;
        for (int user = 0; user < 20; ++user)
            bodies.push_back(std::to_string(user) + "-" + std::to_string(round));
        auto const completed = client.complete_all(bodies);
        for (std::size_t user = 0; user < bodies.size(); ++user)
            CHECK(completed[user].reply == bodies[user]);
    }
    CHECK(server.connections() == 20);
}

TEST_CASE("more than a hundred completions at once") {
    std::latch all_have_asked(150);
    ScriptedServer const server([&](Exchange const& exchange) {
        all_have_asked.arrive_and_wait();
        exchange.reply(exchange.body);
    });
    auto const completed = Awaited(server.url()).complete_all(std::vector<std::string>(150, "x"));
    CHECK(std::ranges::all_of(completed, [](Completed const& one) { return one.reply == "x"; }));
}

TEST_OF_BOTH("a status that is tried again") {
    for (int const status : {408, 429, 500, 502, 503, 529, 599}) {
        ScriptedServer const server([&](Exchange const& exchange) {
            exchange.number < 2 ? exchange.refuse(status, "", "busy") : exchange.reply("x");
        });
        auto const completed = make(server.url())->complete();
        CHECK(completed.reply == "x");
        CHECK(completed.attempt.transport_retries == 2);
        CHECK(completed.attempt.transport_ns > 0);
        CHECK(server.bodies() == std::vector<std::string>(3, BODY));
    }
}

TEST_OF_BOTH("a status that is final") {
    for (int const status : {201, 204, 301, 304, 400, 401, 403, 404, 407, 416, 417, 422}) {
        ScriptedServer const server([&](Exchange const& exchange) {
            exchange.refuse(status, "Location: /elsewhere\r\n",
                            status == 204 || status == 304 ? "" : "{\n \"no\"}");
        });
        std::string const said = status == 204 || status == 304 ? "" : ": { \"no\"}";
        CHECK(failure(make, server.url()) == "the endpoint answered " + std::to_string(status) + said);
        CHECK(server.bodies().size() == 1);
    }
}

TEST_OF_BOTH("tries are bounded") {
    ScriptedServer const server([](Exchange const& exchange) { exchange.refuse(503); });
    CHECK(failure(make, server.url()) == "the endpoint answered 503");
    CHECK(server.bodies().size() == 3);
}

TEST_OF_BOTH("the key is never quoted, nor a part of it, nor its spelling within JSON") {
    Options options = with(ONE_TRY);
    options.key = "sk-\"secret\\0123456789";
    std::string quoted;
    append_quoted(quoted, options.key);
    quoted = quoted.substr(1, quoted.size() - 2);
    for (std::size_t const before : {0, 60, 250}) {
        std::string const padding(before, 'x');
        ScriptedServer const server([&](Exchange const& exchange) {
            std::array<std::string, 3> const events{
                R"({"error":{"code":")" + padding + quoted + R"("}})",
                R"({"error":{"message":")" + padding + quoted + R"("}})",
                R"([")" + padding + quoted + R"("])",
            };
            if (exchange.number == 0)
                exchange.refuse(503, "", padding + options.key);
            else
                exchange.send(Exchange::stream_head() +
                              Exchange::chunk("data: " + events.at(exchange.number - 1) + "\n\n") +
                              Exchange::chunk(""));
        });
        auto const client = make(server.url(), options);
        for (int number = 0; number < 4; ++number) {
            std::string const told = client->complete().failure;
            CHECK(told.find("sk-") == std::string::npos);
            CHECK(told.find((padding + "***").substr(0, 200)) != std::string::npos);
        }
    }
}

TEST_OF_BOTH("the key is not quoted where a long error body is cut") {
    Options options = with(ONE_TRY);
    options.key = "sk-secret-0123456789";
    for (std::size_t part = 0; part <= options.key.size(); ++part) {
        ScriptedServer const server([&](Exchange const& exchange) {
            exchange.refuse(400, "", std::string(2048 - part, ' ') + options.key + std::string(2000, 'x'));
        });
        std::string const told = failure(make, server.url(), options);
        CHECK(told == "the endpoint answered 400: " + std::string(part > 0 ? "***…" : "…"));
    }
}

TEST_OF_BOTH("an error body without end") {
    ScriptedServer const server([](Exchange const& exchange) {
        exchange.send("HTTP/1.1 400 No\r\nContent-Length: 100000\r\n\r\n" + std::string(5000, 'x'));
        exchange.hang();
    });
    CHECK(failure(make, server.url()) ==
          ("the endpoint answered 400: " + std::string(300, 'x')).substr(0, 300));
}

TEST_OF_BOTH("an error body that never comes") {
    ScriptedServer const server([](Exchange const& exchange) {
        exchange.send("HTTP/1.1 400 No\r\nContent-Length: 10\r\n\r\n");
        exchange.hang();
    });
    CHECK(failure(make, server.url(), with(Timeouts{10, 0.05, 600})) == "the endpoint answered 400");
}

namespace {

/// A way to break a try, and how the reason begins.
struct Breakage {
    std::string reason;
    ScriptedServer::Answer answer;
};

ScriptedServer::Answer sends(std::string const& data) {
    return [data](Exchange const& exchange) { exchange.send(data); };
}

ScriptedServer::Answer streams(std::string const& data) {
    return sends(Exchange::stream_head() + Exchange::chunk(Exchange::content("lost")) + data);
}

std::vector<Breakage> const BREAKAGES{
    {"the connection broke (Recv failure: Connection reset by peer)",
     [](Exchange const& exchange) { exchange.reset(); }},
    {"the endpoint closed the connection", [](Exchange const& exchange) { exchange.shut(); }},
    {"the endpoint does not speak HTTP/1.1 (Received HTTP/0.9 when not allowed)",
     sends("SSH-2.0-OpenSSH_9.9\r\n")},
    {"the endpoint does not speak HTTP/1.1 but switches to another protocol",
     sends("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")},
    {"the endpoint sent no event stream but application/json",
     sends("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")},
    {"the endpoint sent no event stream but no Content-Type",
     sends("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")},
    {"the endpoint sent a compressed stream (gzip)",
     sends(Exchange::stream_head("Content-Encoding: gzip\r\n"))},
    {"the connection broke (Recv failure: Connection reset by peer)",
     [](Exchange const& exchange) {
         streams("")(exchange);
         exchange.rest(20);
         exchange.reset();
     }},
    {"the endpoint closed the connection",
     [](Exchange const& exchange) {
         streams("")(exchange);
         exchange.shut();
     }},
    {"the stream ended before a finish_reason", streams(Exchange::chunk(""))},
    {"the stream ended before a finish_reason", streams(Exchange::chunk("data: [DONE]\n\n"))},
    {"the stream holds something that is no JSON object: {", streams(Exchange::chunk("data: {\n\n"))},
    {"the endpoint reports in the stream: over loaded",
     streams(Exchange::chunk("data: {\"error\":{\"message\":\"over\\nloaded\"}}\n\n"))},
    {"the connection broke (", streams("zz\r\n")},
};

}  // namespace

TEST_OF_BOTH("a broken try is dropped and repeated") {
    for (Breakage const& breakage : BREAKAGES) {
        CAPTURE(breakage.reason);
        ScriptedServer const server([&](Exchange const& exchange) {
            exchange.number == 0 ? breakage.answer(exchange) : exchange.reply("whole");
        });
        auto const completed = make(server.url())->complete();
        CHECK(completed.reply == "whole");
        CHECK(completed.attempt.transport_retries == 1);
        CHECK(server.bodies().size() == 2);
    }
}

TEST_OF_BOTH("the reason of a broken try is one line") {
    for (Breakage const& breakage : BREAKAGES) {
        ScriptedServer const server(breakage.answer);
        std::string const told = failure(make, server.url(), with(ONE_TRY));
        CHECK(told.substr(0, breakage.reason.size()) == breakage.reason);
        CHECK(told.find('\n') == std::string::npos);
    }
}

TEST_OF_BOTH("a request on a connection that breaks is not repeated in silence") {
    ScriptedServer const server(
        [](Exchange const& exchange) { exchange.number % 2 == 0 ? exchange.reply("x") : exchange.shut(); });
    auto const client = make(server.url(), with(ONE_TRY));
    CHECK(client->complete().reply == "x");
    CHECK(client->complete().failure == "the endpoint closed the connection");
    CHECK(server.bodies().size() == 2);
}

TEST_OF_BOTH("nobody listens") {
    std::string const told = failure(make, nobody());
    CHECK(told == "no connection (Connection refused)");
}

TEST_OF_BOTH("a connection that is never accepted") {
    FileDescriptor const listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    FileDescriptor const queued(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(bind(listener.get(), generic, size) == 0);
    REQUIRE(listen(listener.get(), 0) == 0);
    REQUIRE(getsockname(listener.get(), generic, &size) == 0);
    REQUIRE(connect(queued.get(), generic, size) == 0);
    std::string const url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/v1";
    CHECK(failure(make, url, with(Timeouts{0.05, 60, 600})) == "no connection within 0.05 s");
}

TEST_OF_BOTH("an idle stream with comments") {
    // They keep the connection alive, and the endpoint may have forgotten the completion all the same.
    ScriptedServer const server([](Exchange const& exchange) {
        streams("")(exchange);
        while (exchange.rest(10))
            exchange.send(Exchange::chunk(": keep-alive\n\n"));
    });
    CHECK(failure(make, server.url(), with(Timeouts{10, 0.1, 600})) == "no event within 0.1 s");
    CHECK(server.bodies().size() == 3);
}

TEST_OF_BOTH("the idle time begins when all of the request is sent") {
    ScriptedServer const server([](Exchange const& exchange) { exchange.reply("x"); }, 2000);
    Options options = with(ONE_TRY);
    options.timeouts = {10, 1.5, 600};
    CHECK(make(server.url(), options)->complete(std::string(16'000'000, 'x')).reply == "x");
}

TEST_OF_BOTH("the total time bounds the sending of a request") {
    ScriptedServer const server([](Exchange const&) {}, 100'000);
    CHECK(make(server.url(), with(Timeouts{10, 0.01, 0.2}))->complete(std::string(16'000'000, 'x')).failure ==
          "no completion within 0.2 s");
}

TEST_OF_BOTH("events reset the idle time") {
    ScriptedServer const server([](Exchange const& exchange) {
        exchange.send(Exchange::stream_head());
        for (int number = 0; number < 20 && exchange.rest(60); ++number)
            exchange.send(Exchange::chunk(Exchange::content("x")));
        exchange.send(Exchange::chunk(Exchange::finish()) + Exchange::chunk(""));
    });
    auto const completed = make(server.url(), with(Timeouts{10, 1, 600}))->complete();
    CHECK(completed.reply == std::string(20, 'x'));
    CHECK(completed.attempt.transport_retries == 0);
}

TEST_OF_BOTH("the total time bounds all tries") {
    ScriptedServer const server(
        [](Exchange const& exchange) { exchange.refuse(503, "Retry-After: 3600\r\n"); });
    CHECK(failure(make, server.url(), with(Timeouts{10, 60, 0.1})) == "no completion within 0.1 s");
    CHECK(server.bodies().size() == 1);
}

TEST_OF_BOTH("the total time bounds a stream") {
    ScriptedServer const server([](Exchange const& exchange) {
        streams("")(exchange);
        exchange.hang();
    });
    CHECK(failure(make, server.url(), with(Timeouts{10, 60, 0.1})) == "no completion within 0.1 s");
    CHECK(server.bodies().size() == 1);
}

TEST_OF_BOTH("the total time does not undo a success") {
    ScriptedServer const server([](Exchange const& exchange) {
        streams(Exchange::chunk(Exchange::finish()))(exchange);
        exchange.hang();
    });
    CHECK(make(server.url(), with(Timeouts{10, 60, 0.5}))->complete().reply == "lost");
}

TEST_OF_BOTH("Retry-After is waited for") {
    ScriptedServer const server([](Exchange const& exchange) {
        exchange.number == 0 ? exchange.refuse(429, "retry-after: 0.2\r\n") : exchange.reply("x");
    });
    CHECK(make(server.url())->complete().attempt.transport_ns >= 200'000'000);
}

TEST_OF_BOTH("interim responses and trailers") {
    ScriptedServer const server([](Exchange const& exchange) {
        exchange.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
        exchange.send(Exchange::stream_head("Trailer: X-Cost\r\n") + Exchange::chunk(Exchange::content("x")) +
                      Exchange::chunk(Exchange::finish()) + "0\r\nX-Cost: 1\r\n\r\n");
    });
    auto const completed = make(server.url())->complete();
    CHECK(completed.reply == "x");
    CHECK(completed.attempt.transport_retries == 0);
}

TEST_OF_BOTH("a body with a length") {
    std::string const body = Exchange::content("x") + Exchange::finish();
    ScriptedServer const server(
        sends("HTTP/1.1 200 OK\r\nContent-Type: TEXT/event-stream;charset=utf-8\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n\r\n" + body));
    CHECK(make(server.url())->complete().reply == "x");
}

TEST_OF_BOTH("a body until the connection closes") {
    ScriptedServer const server([](Exchange const& exchange) {
        exchange.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
        exchange.send(Exchange::content("x") + Exchange::finish());
        exchange.shut();
    });
    CHECK(make(server.url())->complete().reply == "x");
}

TEST_OF_BOTH("a connection that breaks after the finish reason") {
    ScriptedServer const server([](Exchange const& exchange) {
        streams(Exchange::chunk(Exchange::finish()))(exchange);
        exchange.shut();
    });
    CHECK(make(server.url(), with(ONE_TRY))->complete().reply == "lost");
}

TEST_CASE("a stop ends the blocking client wherever it waits") {
    std::stop_source stop;
    TransportRetries transport{9, 1000, 1000};
    ScriptedServer::Answer answer;
    SUBCASE("for the response") {
        answer = [&](Exchange const& exchange) {
            stop.request_stop();
            exchange.hang();
        };
    }
    SUBCASE("in the stream") {
        answer = [&](Exchange const& exchange) {
            streams("")(exchange);
            stop.request_stop();
            exchange.hang();
        };
    }
    SUBCASE("for the next try") {
        answer = [&](Exchange const& exchange) {
            exchange.refuse(503, "Retry-After: 1000\r\n");
            stop.request_stop();
        };
    }
    ScriptedServer const server(answer);
    Endpoint const endpoint(parse_base_url(server.url()).value(), "", Timeouts{10, 60, 600}, transport);
    LLMClient client(endpoint, stop.get_token());
    Attempt attempt;
    CHECK_THROWS_AS(client.complete(BODY, attempt), Interrupted);
}

TEST_CASE("a stopped loop ends every completion, wherever it waits") {
    ScriptedServer const server([](Exchange const& exchange) {
        if (exchange.body == "refused")
            exchange.refuse(503, "Retry-After: 1000\r\n");
        else
            streams("")(exchange);
        exchange.hang();
    });
    Awaited client(server.url());
    Timer const stop(client.loop(), after(0.1), [&] { client.loop().stop(); });
    CHECK_THROWS_AS(client.complete_all({"refused", "streamed", "refused"}), Interrupted);
}
