#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace agentloop {

template <typename T>
class Async;

namespace async_detail {

// Versions of clang-format differ about requires expressions.
// clang-format off
template <typename T>
concept IsAwaiter = requires(T value) { value.await_ready(); };

template <typename T>
concept HasAwaiter = requires(T value) { std::move(value).operator co_await(); };
// clang-format on

template <typename T>
concept Awaitable = IsAwaiter<T> || HasAwaiter<T>;

/// What `co_await` makes of a value that is there already.
template <typename T>
struct Ready {
    T value;
    bool await_ready() const noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    T await_resume() { return std::move(value); }
};

/// Goes on with the coroutine that awaits the one that has ended.
struct Ending {
    bool await_ready() const noexcept { return false; }
    template <typename Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
        return ended.promise().continuation;
    }
    void await_resume() const noexcept {}
};

struct PromiseBase {
    std::coroutine_handle<> continuation = std::noop_coroutine();
    std::exception_ptr failure;

    std::suspend_always initial_suspend() const noexcept { return {}; }
    Ending final_suspend() const noexcept { return {}; }
    void unhandled_exception() noexcept { failure = std::current_exception(); }

    template <typename T>
    decltype(auto) await_transform(T&& awaited) const {
        if constexpr (Awaitable<std::remove_cvref_t<T>>)
            return std::forward<T>(awaited);
        else
            return Ready<std::remove_cvref_t<T>>{std::forward<T>(awaited)};
    }
};

template <typename T>
struct Promise : PromiseBase {
    std::optional<T> value;

    Async<T> get_return_object();
    void return_value(T result) { value.emplace(std::move(result)); }
    T result() {
        if (failure)
            std::rethrow_exception(failure);
        return std::move(*value);
    }
};

template <>
struct Promise<void> : PromiseBase {
    Async<void> get_return_object();
    void return_void() const noexcept {}
    void result() const {
        if (failure)
            std::rethrow_exception(failure);
    }
};

}  // namespace async_detail

/// A coroutine that begins when it is awaited; the awaiting one gets its result, or its exception.
///
/// Within it, `co_await` of a value that is no awaitable is that value. So one text serves two runtimes: one
/// whose functions return awaitables, and one whose functions block, so that no coroutine ever suspends.
template <typename T>
class [[nodiscard]] Async {
  public:
    using promise_type = async_detail::Promise<T>;

    explicit Async(std::coroutine_handle<promise_type> coroutine) : coroutine_(coroutine) {}
    Async(Async&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
    Async& operator=(Async&& other) noexcept {
        std::swap(coroutine_, other.coroutine_);
        return *this;
    }
    ~Async() {
        if (coroutine_)
            coroutine_.destroy();
    }

    auto operator co_await() && noexcept {
        struct Awaiter {
            std::coroutine_handle<promise_type> coroutine;
            bool await_ready() const noexcept { return false; }
            std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) const noexcept {
                coroutine.promise().continuation = awaiting;
                return coroutine;
            }
            T await_resume() const { return coroutine.promise().result(); }
        };
        return Awaiter{coroutine_};
    }

    /// Begins without being awaited, and returns when it first suspends.
    void start() { coroutine_.resume(); }

    /// Runs a coroutine that never suspends, because all that it calls blocks.
    T run() {
        coroutine_.resume();
        return coroutine_.promise().result();
    }

  private:
    std::coroutine_handle<promise_type> coroutine_;
};

namespace async_detail {

template <typename T>
Async<T> Promise<T>::get_return_object() {
    return Async<T>(std::coroutine_handle<Promise>::from_promise(*this));
}

inline Async<void> Promise<void>::get_return_object() {
    return Async<void>(std::coroutine_handle<Promise>::from_promise(*this));
}

}  // namespace async_detail

}  // namespace agentloop
