#pragma once

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "canonical.hpp"
#include "file_descriptor.hpp"

/// One request as the server sees it, and the connection to answer on.
class Exchange {
  public:
    Exchange(std::size_t exchange_number, std::string request_head, std::string request_body, int connection,
             int closing)
        : number(exchange_number),
          head(std::move(request_head)),
          body(std::move(request_body)),
          connection_(connection),
          closing_(closing) {}

    std::size_t const number;
    std::string const head;
    std::string const body;

    /// Sends bytes as they are; the connection may have been closed by then.
    void send(std::string_view data) const {
        while (!data.empty()) {
            ssize_t const sent = ::send(connection_, data.data(), data.size(), MSG_NOSIGNAL);
            if (sent <= 0)
                return;
            data.remove_prefix(static_cast<std::size_t>(sent));
        }
    }

    static std::string stream_head(std::string const& more = "") {
        return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n" + more +
               "\r\n";
    }

    static std::string chunk(std::string_view data) {
        char size[32];
        std::snprintf(size, sizeof size, "%zx\r\n", data.size());
        return size + std::string(data) + "\r\n";
    }

    static std::string content(std::string_view text) {
        std::string data = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":";
        agentloop::append_quoted(data, text);
        return data + "}}]}\n\n";
    }

    static std::string finish() {
        return "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    }

    /// A whole completion in one piece.
    static std::string whole(std::string_view text) {
        return stream_head() + chunk(content(text)) + chunk(finish()) + chunk("data: [DONE]\n\n") + chunk("");
    }

    void reply(std::string_view text) const { send(whole(text)); }

    void refuse(int status, std::string const& headers = "", std::string_view said = "") const {
        send("HTTP/1.1 " + std::to_string(status) + " No\r\nContent-Length: " + std::to_string(said.size()) +
             "\r\n" + headers + "\r\n" + std::string(said));
    }

    /// Sends no more.
    void shut() const { shutdown(connection_, SHUT_RDWR); }

    /// Breaks the connection so that the other side sees a reset.
    void reset() const {
        linger const at_once{1, 0};
        setsockopt(connection_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        is_reset_ = true;
    }

    /// Waits until all that was sent, the end included, has arrived at the other side.
    void settle() const {
        int unsent = 0;
        tcp_info info{};
        do {
            std::this_thread::yield();
            ioctl(connection_, SIOCOUTQ, &unsent);
            socklen_t size = sizeof info;
            getsockopt(connection_, IPPROTO_TCP, TCP_INFO, &info, &size);
        } while (unsent > 0 || info.tcpi_state == TCP_FIN_WAIT1);
    }

    /// Says nothing for a while; returns false when the server closes.
    bool rest(int milliseconds) const {
        pollfd closing{closing_, POLLIN, 0};
        return poll(&closing, 1, milliseconds) == 0;
    }

    /// Says nothing more until the server is closed.
    void hang() const { rest(-1); }

    bool is_reset() const { return is_reset_; }

  private:
    int connection_;
    int closing_;
    mutable bool is_reset_ = false;
};

/// A server on the loopback that calls a function for each request, each connection in its own thread.
class ScriptedServer {
  public:
    using Answer = std::function<void(Exchange const&)>;

    /// Reads nothing of a connection for a while, and the kernel holds little of what is sent meanwhile.
    explicit ScriptedServer(Answer answer, int read_after_ms = 0)
        : answer_(std::move(answer)),
          read_after_ms_(read_after_ms),
          listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
          closing_(eventfd(0, EFD_CLOEXEC)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const generic = reinterpret_cast<sockaddr*>(&address);
        if (int const little = 4096; read_after_ms > 0)
            setsockopt(listener_.get(), SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
        if (bind(listener_.get(), generic, size) != 0 || listen(listener_.get(), 1000) != 0 ||
            getsockname(listener_.get(), generic, &size) != 0)
            throw std::runtime_error("no server");
        host_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
        accepting_ = std::jthread([this] { accept_all(); });
    }

    ~ScriptedServer() {
        eventfd_write(closing_.get(), 1);
        shutdown(listener_.get(), SHUT_RDWR);
        accepting_.join();
        {
            std::lock_guard const lock(mutex_);
            for (agentloop::FileDescriptor const& connection : connections_)
                shutdown(connection.get(), SHUT_RDWR);
        }
        threads_.clear();
    }

    std::string const& host() const { return host_; }
    std::string url() const { return "http://" + host_ + "/v1"; }

    std::size_t connections() const { return accepted_; }

    std::vector<std::string> bodies() const {
        std::lock_guard const lock(mutex_);
        return bodies_;
    }

    std::vector<std::string> heads() const {
        std::lock_guard const lock(mutex_);
        return heads_;
    }

    /// Waits until so many requests have arrived.
    void wait_for(std::size_t requests) {
        std::unique_lock lock(mutex_);
        arrived_.wait(lock, [&] { return bodies_.size() >= requests; });
    }

  private:
    void accept_all() {
        while (true) {
            agentloop::FileDescriptor connection(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            if (!connection)
                return;
            ++accepted_;
            agentloop::FileDescriptor& kept = connections_.emplace_back(std::move(connection));
            threads_.emplace_back([this, &kept] { converse(kept); });
        }
    }

    void converse(agentloop::FileDescriptor& connection) {
        std::string received;
        pollfd closing{closing_.get(), POLLIN, 0};
        if (read_after_ms_ > 0 && poll(&closing, 1, read_after_ms_) != 0)
            return;
        // The rest comes at full speed: through a window of 4 KiB it takes long on a busy machine.
        if (int const much = 1 << 20; read_after_ms_ > 0)
            setsockopt(connection.get(), SOL_SOCKET, SO_RCVBUF, &much, sizeof much);
        while (true) {
            std::size_t const end = received.find("\r\n\r\n");
            if (end == std::string::npos) {
                if (!receive(connection, received))
                    return;
                continue;
            }
            std::string const head = received.substr(0, end + 2);
            received.erase(0, end + 4);
            constexpr std::string_view LENGTH = "Content-Length: ";
            std::size_t const size = std::stoul(head.substr(head.find(LENGTH) + LENGTH.size()));
            while (received.size() < size)
                if (!receive(connection, received))
                    return;
            Exchange const exchange(arrive(head, received.substr(0, size)), head, received.substr(0, size),
                                    connection.get(), closing_.get());
            received.erase(0, size);
            answer_(exchange);
            if (exchange.is_reset()) {
                std::lock_guard const lock(mutex_);
                connection.close();
                return;
            }
        }
    }

    static bool receive(agentloop::FileDescriptor const& connection, std::string& received) {
        char piece[4096];
        ssize_t const count = recv(connection.get(), piece, sizeof piece, 0);
        if (count > 0)
            received.append(piece, static_cast<std::size_t>(count));
        return count > 0;
    }

    std::size_t arrive(std::string const& head, std::string const& body) {
        std::lock_guard const lock(mutex_);
        heads_.push_back(head);
        bodies_.push_back(body);
        arrived_.notify_all();
        return bodies_.size() - 1;
    }

    Answer answer_;
    int read_after_ms_;
    agentloop::FileDescriptor listener_;
    agentloop::FileDescriptor closing_;
    std::string host_;
    std::atomic<std::size_t> accepted_ = 0;
    mutable std::mutex mutex_;
    std::condition_variable arrived_;
    std::vector<std::string> heads_;
    std::vector<std::string> bodies_;
    std::deque<agentloop::FileDescriptor> connections_;
    std::deque<std::jthread> threads_;
    std::jthread accepting_;
};
