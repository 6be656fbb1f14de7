#include "transfer.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "text.hpp"

namespace agentloop {

namespace {

/// How long to wait for the end of a body whose stream is complete, before the connection is closed.
constexpr double CLOSE_GRACE_S = 1;

/// The least that libcurl allows: an event is small, and each connection at work has such a buffer.
constexpr long RECEIVE_BYTES = 1024;

bool same_name(std::string_view header, std::string_view lower_case_name) {
    return std::ranges::equal(header, lower_case_name,
                              [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

}  // namespace

CurlLibrary::CurlLibrary() {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        throw std::runtime_error("libcurl cannot be initialised");
}

Transfers::Transfers(std::size_t connections) : multi_(curl_multi_init()) {
    if (!multi_)
        throw std::bad_alloc();
    curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS,
                      static_cast<long>(std::min<std::size_t>(connections, INT_MAX)));
}

void Transfers::finish() {
    int left = 0;
    while (CURLMsg const* const message = curl_multi_info_read(multi_.get(), &left)) {
        if (message->msg != CURLMSG_DONE)
            continue;
        char* transfer = nullptr;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        reinterpret_cast<Transfer*>(transfer)->finish(message->data.result);
    }
}

Transfer::Transfer(Transfers& transfers, Endpoint const& endpoint, std::shared_ptr<std::string const> body,
                   Attempt& attempt, Clock::time_point total, std::function<void()> on_change)
    : transfers_(transfers),
      body_(std::move(body)),
      on_change_(std::move(on_change)),
      answer_(attempt, endpoint.timeouts(), total),
      easy_(curl_easy_init()) {
    if (!easy_)
        throw std::bad_alloc();
    set(CURLOPT_PRIVATE, this);
    set(CURLOPT_URL, endpoint.origin().c_str());
    set(CURLOPT_REQUEST_TARGET, endpoint.target().c_str());
    set(CURLOPT_HTTPHEADER, endpoint.headers());
    set(CURLOPT_POSTFIELDS, body_->data());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_->size()));
    set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
    set(CURLOPT_PROXY, "");  // Not even one that the environment names.
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_QUICK_EXIT, 1L);  // A name that is still being looked up does not hold the run.
    // The answer has its own deadlines, to the millisecond; libcurl's would be 300 s.
    set(CURLOPT_CONNECTTIMEOUT_MS, long{INT_MAX});
    set(CURLOPT_BUFFERSIZE, RECEIVE_BYTES);
    set(CURLOPT_ERRORBUFFER, error_.data());
    set(CURLOPT_PREREQFUNCTION, &on_request);
    set(CURLOPT_PREREQDATA, this);
    set(CURLOPT_HEADERFUNCTION, &on_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, &on_body);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_OPENSOCKETFUNCTION, &on_socket);
    set(CURLOPT_OPENSOCKETDATA, this);
    set(CURLOPT_CLOSESOCKETFUNCTION, &on_close);
    set(CURLOPT_CLOSESOCKETDATA, &transfers_);
    set(CURLOPT_DEBUGFUNCTION, &on_debug);
    set(CURLOPT_DEBUGDATA, this);
    set(CURLOPT_VERBOSE, 1L);
    curl_multi_add_handle(transfers_.handle(), easy_.get());
}

Transfer::~Transfer() {
    curl_multi_remove_handle(transfers_.handle(), easy_.get());
}

Answer& Transfer::answer() {
    if (exception_)
        std::rethrow_exception(exception_);
    return answer_;
}

void Transfer::detach() {
    on_change_ = [] {};
    give_up_ = after(CLOSE_GRACE_S);
}

int Transfer::on_request(void* transfer, char* remote_ip, char* local_ip, int remote_port,
                         int local_port) noexcept {
    auto& self = *static_cast<Transfer*>(transfer);
    // The second time, libcurl would repeat what is lost with the connection: that would be another try.
    if (self.is_sent_)
        return CURL_PREREQFUNC_ABORT;
    // What the endpoint has closed, or sent more on than the response, would only cost a try.
    auto const check = [&] {
        self.is_stale_ = self.is_stale({local_ip, local_port, remote_ip, remote_port});
    };
    if (!self.attend(check) || self.is_stale_)
        return CURL_PREREQFUNC_ABORT;
    self.is_sent_ = true;
    self.answer_.sending();
    self.on_change_();
    return CURL_PREREQFUNC_OK;
}

std::size_t Transfer::on_header(char* line, std::size_t, std::size_t size, void* transfer) noexcept {
    auto& self = *static_cast<Transfer*>(transfer);
    return self.attend([&] { self.header_line({line, size}); }) ? size : 0;
}

std::size_t Transfer::on_body(char* piece, std::size_t, std::size_t size, void* transfer) noexcept {
    auto& self = *static_cast<Transfer*>(transfer);
    return self.attend([&] { self.answer_.body({piece, size}); }) ? size : 0;
}

int Transfer::on_debug(CURL*, curl_infotype type, char* data, std::size_t size, void* transfer) noexcept {
    auto& self = *static_cast<Transfer*>(transfer);
    if (type == CURLINFO_DATA_IN)
        self.received_of_body({data, size});
    else if (type == CURLINFO_DATA_OUT)
        self.sent_of_body(size);
    return 0;
}

curl_socket_t Transfer::on_socket(void* transfer, curlsocktype, curl_sockaddr* address) noexcept {
    // No child inherits it.
    curl_socket_t const opened = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    auto& self = *static_cast<Transfer*>(transfer);
    self.attend([&] { self.own_sockets_.push_back(opened); });
    return opened;
}

int Transfer::on_close(void* transfers, curl_socket_t socket) noexcept {
    static_cast<Transfers*>(transfers)->sockets().remove(socket);
    return close(socket);
}

template <typename Option, typename Value>
void Transfer::set(Option option, Value value) {
    if (CURLcode const result = curl_easy_setopt(easy_.get(), option, value); result != CURLE_OK)
        throw std::runtime_error(std::string("libcurl refuses a setting: ") + curl_easy_strerror(result));
}

template <typename Function>
bool Transfer::attend(Function function) noexcept {
    bool const was_over = over(), was_finished = answer_.finished();
    try {
        function();
    } catch (...) {
        exception_ = std::current_exception();
    }
    if (over() != was_over || answer_.finished() != was_finished)
        on_change_();
    return !over() || (answer_.complete() && !exception_);
}

bool Transfer::is_stale(Ends const& ends) {
    // By now one of those that were opened for this transfer is connected, if it needed any.
    auto const own_sockets = std::exchange(own_sockets_, {});
    for (curl_socket_t const socket : own_sockets)
        transfers_.sockets().add(socket);
    auto const used = transfers_.sockets().find(ends);
    if (!used)
        return own_sockets.empty();
    if (std::ranges::find(own_sockets, *used) != own_sockets.end())
        return false;
    // libcurl takes a connection for alive on which something has arrived, be it the end.
    pollfd unread{*used, POLLIN, 0};
    return poll(&unread, 1, 0) != 0;
}

void Transfer::header_line(std::string_view line) {
    if (head_is_there_)
        return;  // Trailers.
    line = without_trailing_white_space(line);
    if (line.starts_with("HTTP/")) {
        long status = 0;
        curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
        head_ = {static_cast<int>(status), {}, {}, {}};
        body_received_.reset();
    } else if (line.empty()) {
        // Interim responses are followed by another; 101 is none, because no other protocol was asked for.
        head_is_there_ = head_.status >= 200 || head_.status == 101;
        if (!head_is_there_)
            return;
        // Not before the body has been seen to end, with nothing behind it.
        may_be_used_again(false);
        answer_.head(std::move(head_));
    } else {
        std::size_t const colon = std::min(line.find(':'), line.size());
        std::string_view const name = line.substr(0, colon);
        std::string const value(stripped(line.substr(std::min(colon + 1, line.size()))));
        if (same_name(name, "content-type"))
            head_.content_type = value;
        else if (same_name(name, "content-encoding"))
            head_.content_encoding = value;
        else if (same_name(name, "retry-after"))
            head_.retry_after = value;
        else if (same_name(name, "transfer-encoding"))
            body_received_ = ReceivedBody::in_chunks();
        else if (same_name(name, "content-length") && !body_received_)
            body_received_ = ReceivedBody::of_length(std::strtoull(value.c_str(), nullptr, 10));
    }
}

void Transfer::sent_of_body(std::size_t bytes) {
    sent_bytes_ += bytes;
    if (sent_bytes_ < body_->size())
        return;
    answer_.sent();
    on_change_();
}

void Transfer::received_of_body(std::string_view received) {
    if (!body_received_)
        return;
    body_received_->feed(received);
    may_be_used_again(body_received_->ends_here());
}

void Transfer::may_be_used_again(bool may) {
    curl_easy_setopt(easy_.get(), CURLOPT_FORBID_REUSE, may ? 0L : 1L);
}

void Transfer::finish(CURLcode result) {
    if (is_stale_) {
        // It has been closed, so another is taken; one that is made for this request never is stale.
        is_stale_ = false;
        curl_multi_remove_handle(transfers_.handle(), easy_.get());
        curl_multi_add_handle(transfers_.handle(), easy_.get());
        return;
    }
    done_ = true;
    attend([&] {
        if (result == CURLE_OK)
            answer_.end();
        else
            answer_.lost(reason(result));
    });
}

std::string Transfer::reason(CURLcode result) const {
    std::string detail = error_[0] ? error_.data() : curl_easy_strerror(result);
    if (result == CURLE_COULDNT_CONNECT) {
        long error = 0;
        curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &error);
        detail = std::generic_category().message(static_cast<int>(error));
    }
    if (!is_sent_)
        return "no connection (" + detail + ")";
    switch (result) {
        case CURLE_GOT_NOTHING:
        case CURLE_PARTIAL_FILE:
        case CURLE_ABORTED_BY_CALLBACK:
            return "the endpoint closed the connection";
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_WEIRD_SERVER_REPLY:
            return "the endpoint does not speak HTTP/1.1 (" + detail + ")";
        default:
            return "the connection broke (" + detail + ")";
    }
}

}  // namespace agentloop
