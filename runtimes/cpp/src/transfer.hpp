#pragma once

#include <curl/curl.h>

#include <array>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "answer.hpp"
#include "endpoint.hpp"
#include "received_body.hpp"
#include "sockets.hpp"

namespace agentloop {

/// Keeps libcurl ready for use; one per process, made before there are threads.
class CurlLibrary {
  public:
    CurlLibrary();
    ~CurlLibrary() { curl_global_cleanup(); }
    CurlLibrary(CurlLibrary const&) = delete;
    CurlLibrary& operator=(CurlLibrary const&) = delete;
};

class Transfer;

/// The transfers of one thread, and the connections that they leave to each other.
class Transfers {
  public:
    /// Keeps `connections` open while nobody uses them.
    explicit Transfers(std::size_t connections);

    CURLM* handle() const { return multi_.get(); }

    /// Tells the transfers that libcurl is through with about it.
    void finish();

    /// The sockets of the connections, of which some may be used again.
    Sockets& sockets() { return sockets_; }

  private:
    struct Cleanup {
        void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
    };

    Sockets sockets_;
    std::unique_ptr<CURLM, Cleanup> multi_;
};

/// One request over libcurl, until its answer is over or the object goes.
class Transfer {
  public:
    /// Begins to connect, as one of `transfers`. `on_change` is called when the answer is over, or its
    /// deadline has come nearer; it does not throw.
    Transfer(Transfers& transfers, Endpoint const& endpoint, std::shared_ptr<std::string const> body,
             Attempt& attempt, Clock::time_point total, std::function<void()> on_change);
    ~Transfer();

    Transfer(Transfer const&) = delete;
    Transfer& operator=(Transfer const&) = delete;

    /// Whether the answer is a completion or a failure.
    bool over() const { return answer_.over() || exception_; }

    /// When `expire` will do something.
    Clock::time_point deadline() const { return answer_.deadline(); }

    void expire(Clock::time_point now) { answer_.expire(now); }

    /// The completion, or why there is none, once it is over; what was thrown meanwhile is thrown.
    Answer& answer();

    /// Whether nothing is missing but the end of the body, with which the connection is free again.
    bool can_detach() const { return !done_ && answer_.complete(); }

    /// Lets the transfer go on without anybody who waits for it, until `give_up`.
    void detach();
    Clock::time_point give_up() const { return give_up_; }

    /// Whether libcurl has ended it.
    bool done() const { return done_; }

  private:
    friend Transfers;

    static int on_request(void* transfer, char* remote_ip, char* local_ip, int remote_port,
                          int local_port) noexcept;
    static std::size_t on_header(char* line, std::size_t, std::size_t size, void* transfer) noexcept;
    static std::size_t on_body(char* piece, std::size_t, std::size_t size, void* transfer) noexcept;
    static int on_debug(CURL*, curl_infotype type, char* data, std::size_t size, void* transfer) noexcept;
    static curl_socket_t on_socket(void* transfer, curlsocktype, curl_sockaddr* address) noexcept;
    static int on_close(void* transfers, curl_socket_t socket) noexcept;

    template <typename Option, typename Value>
    void set(Option option, Value value);
    /// Does what a callback has to do; returns whether the transfer is to go on.
    template <typename Function>
    bool attend(Function function) noexcept;

    bool is_stale(Ends const& ends);
    void header_line(std::string_view line);
    void sent_of_body(std::size_t bytes);
    void received_of_body(std::string_view received);
    void may_be_used_again(bool may);
    void finish(CURLcode result);
    std::string reason(CURLcode result) const;

    struct Cleanup {
        void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
    };

    Transfers& transfers_;
    std::shared_ptr<std::string const> body_;
    std::function<void()> on_change_;
    Answer answer_;
    ResponseHead head_;
    std::array<char, CURL_ERROR_SIZE> error_{};
    std::exception_ptr exception_;
    std::vector<curl_socket_t> own_sockets_;
    std::optional<ReceivedBody> body_received_;  ///< None where only the end of the connection ends it.
    std::size_t sent_bytes_ = 0;
    Clock::time_point give_up_ = NEVER;
    bool head_is_there_ = false;
    bool is_stale_ = false;
    bool is_sent_ = false;
    bool done_ = false;
    std::unique_ptr<CURL, Cleanup> easy_;
};

}  // namespace agentloop
