#include "net/stream.hpp"

#include "net/tls_error.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include <openssl/err.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>

namespace sluice::net {
namespace {

namespace asio = boost::asio;

constexpr std::size_t pieces_max = 64;         // of one gather write
constexpr std::size_t tls_record = 16 * 1024;  // plain bytes of one TLS record

// Fills `out` with the pieces from byte `offset` on.
std::size_t gather(std::span<const std::string_view> pieces, std::size_t offset, std::array<iovec, pieces_max>& out) {
    std::size_t n = 0;
    for (const std::string_view piece : pieces) {
        if (offset >= piece.size()) {
            offset -= piece.size();
            continue;
        }
        if (n == pieces_max) break;
        out[n++] = {const_cast<char*>(piece.data()) + offset, piece.size() - offset};
        offset = 0;
    }
    return n;
}

}  // namespace

// --- waiting ------------------------------------------------------------------------------------------

void stream::waiter::start(stream& owner, handler h, std::chrono::milliseconds timeout) {
    reactor_ = &owner.reactor_;
    slot_ = asio::get_associated_cancellation_slot(h);
    handler_.emplace(std::move(h));
    if (slot_.is_connected()) {
        slot_.assign([this](asio::cancellation_type type) {
            if ((type & asio::cancellation_type::terminal) != asio::cancellation_type::none) cancel();
        });
    }
    reactor_->timers().arm(*this, reactor_->now() + timeout);
}

std::optional<stream::handler> stream::waiter::take() {
    if (!handler_) return std::nullopt;
    if (slot_.is_connected()) slot_.clear();
    reactor_->timers().disarm(*this);
    return std::exchange(handler_, std::nullopt);
}

void stream::waiter::complete(ready how) {
    auto h = take();
    if (h) (*h)(nullptr, how);
}

void stream::waiter::cancel() {
    // Not inline: whoever cancels may stand on the frames that unwind. The slot is running this very
    // function, so it must not be cleared here.
    reactor_->timers().disarm(*this);
    auto h = std::exchange(handler_, std::nullopt);
    if (!h) return;
    asio::post(reactor_->executor(), [h = std::move(*h), slot = slot_]() mutable {
        slot.clear();
        h(std::make_exception_ptr(boost::system::system_error(asio::error::operation_aborted)), ready::timeout);
    });
}

awaitable<ready> stream::wait(waiter& w, bool (stream::*may_go_on)() const, std::chrono::milliseconds timeout) {
    return asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr, ready)>(
        [this, &w, may_go_on, timeout](handler h) {
            assert(!w.waiting());
            if ((this->*may_go_on)()) {
                asio::post(reactor_.executor(), [h = std::move(h)]() mutable { h(nullptr, ready::yes); });
            } else {
                w.start(*this, std::move(h), timeout);
            }
        },
        asio::use_awaitable);
}

void stream::on_events(std::uint32_t events) {
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) can_read_ = true;
    if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) can_write_ = true;
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) hung_up_ = true;
    // Both are taken before either runs: the first may destroy this stream.
    auto reading = read_ready() ? reader_.take() : std::nullopt;
    auto writing = write_ready() ? writer_.take() : std::nullopt;
    // Whoever reads learns nothing of a hang-up behind the last byte it waits for, so that both are told.
    if (hung_up_ && on_hang_up_ != nullptr) {
        auto* callback = std::exchange(on_hang_up_, nullptr);
        callback(hang_up_context_);  // cancels by post: nothing is destroyed yet
    }
    if (reading) (*reading)(nullptr, ready::yes);
    if (writing) (*writing)(nullptr, ready::yes);
}

// --- life ---------------------------------------------------------------------------------------------

stream::stream(reactor& r, unique_fd fd) : reactor_(r), fd_(std::move(fd)) {
    // A failed registration shows as a connection that never becomes ready, and ends by its deadline.
    reactor_.add(fd_.get(), *this);
}

stream::~stream() {
    if (fd_) reactor_.remove(fd_.get(), *this);
}

bool stream::quiet() {
    if (hung_up_) return false;
    if (!may_read()) return true;
    char byte;
    if (ssl_) {
        // Session tickets come after the handshake and are no data: SSL_peek eats them.
        ERR_clear_error();
        const int n = SSL_peek(ssl_.get(), &byte, 1);
        const bool nothing = n <= 0 && SSL_get_error(ssl_.get(), n) == SSL_ERROR_WANT_READ;
        ERR_clear_error();
        if (!nothing || SSL_has_pending(ssl_.get()) == 1) return false;  // pending: the beginning of a record
    } else {
        const ssize_t n = ::recv(fd_.get(), &byte, 1, MSG_PEEK);
        if (n >= 0 || errno != EAGAIN) return false;
    }
    can_read_ = false;
    return true;
}

void stream::shutdown_write() {
    if (resets_) return;
    if (ssl_) {
        ERR_clear_error();
        SSL_shutdown(ssl_.get());
        ERR_clear_error();
    }
    ::shutdown(fd_.get(), SHUT_WR);
}

void stream::reset_on_close() {
    const linger abortive{1, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &abortive, sizeof abortive);
    resets_ = true;
}

awaitable<result<void>> stream::handshake(ssl_ptr ssl, std::string_view peer, std::chrono::milliseconds timeout) {
    ssl_ = std::move(ssl);
    SSL_set_fd(ssl_.get(), fd_.get());
    const auto deadline = reactor_.now() + timeout;
    for (;;) {
        ERR_clear_error();
        const int n = SSL_do_handshake(ssl_.get());
        if (n == 1) co_return result<void>{};
        const int why = SSL_get_error(ssl_.get(), n);
        const bool wants_read = why == SSL_ERROR_WANT_READ;
        if (!wants_read && why != SSL_ERROR_WANT_WRITE) co_return tls_handshake_error(ssl_.get(), peer);
        (wants_read ? can_read_ : can_write_) = false;
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - reactor_.now());
        ready how = ready::timeout;
        if (left.count() > 0 && wants_read) {
            how = co_await readable(left);
        } else if (left.count() > 0) {
            how = co_await writable(left);
        }
        if (how == ready::timeout) co_return error{error_kind::upstream_tls_timeout, "TLS handshake timed out"};
    }
}

// --- reading --------------------------------------------------------------------------------------------

io_result stream::read_some(std::span<char> into) {
    if (ssl_) return read_tls(into);
    for (;;) {
        const ssize_t n = ::recv(fd_.get(), into.data(), into.size(), 0);
        if (n > 0) {
            // A short read emptied the socket, and the next edge tells of more; but what a hang-up left
            // behind has no further edge.
            if (static_cast<std::size_t>(n) < into.size() && !hung_up_) can_read_ = false;
            return {io_status::ok, static_cast<std::size_t>(n)};
        }
        if (n == 0) return {io_status::eof, 0};
        if (errno == EINTR) continue;
        if (errno != EAGAIN) return {io_status::failed, 0};
        can_read_ = false;
        return {io_status::again, 0};
    }
}

io_result stream::read_tls(std::span<char> into) {
    read_wants_write_ = false;
    ERR_clear_error();
    const int n = SSL_read(ssl_.get(), into.data(), static_cast<int>(std::min<std::size_t>(into.size(), 1 << 30)));
    if (n > 0) return {io_status::ok, static_cast<std::size_t>(n)};
    switch (SSL_get_error(ssl_.get(), n)) {
        case SSL_ERROR_WANT_READ:
            can_read_ = false;
            return {io_status::again, 0};
        case SSL_ERROR_WANT_WRITE:
            read_wants_write_ = true;
            can_write_ = false;
            return {io_status::again, 0};
        case SSL_ERROR_ZERO_RETURN:
            return {io_status::eof, 0};
        default:
            // Truncation without close_notify included: only a complete message counts as complete.
            ERR_clear_error();
            return {io_status::failed, 0};
    }
}

// --- writing ----------------------------------------------------------------------------------------------

io_result stream::write_some(std::span<const std::string_view> pieces, std::size_t offset) {
    if (ssl_) return write_tls(pieces, offset);
    std::array<iovec, pieces_max> vectors;
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = gather(pieces, offset, vectors);
    for (;;) {
        const ssize_t n = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
        if (n >= 0) return {io_status::ok, static_cast<std::size_t>(n)};
        if (errno == EINTR) continue;
        if (errno != EAGAIN) return {io_status::failed, 0};
        can_write_ = false;
        return {io_status::again, 0};
    }
}

io_result stream::write_tls(std::span<const std::string_view> pieces, std::size_t offset) {
    // One record from as many pieces as fit. A retry after `again` comes with the same bytes, as
    // OpenSSL demands, since nothing of them was taken.
    std::array<iovec, pieces_max> vectors;
    const std::size_t n = gather(pieces, offset, vectors);
    if (n == 0) return {io_status::ok, 0};
    thread_local std::array<char, tls_record> scratch;
    const void* from = vectors[0].iov_base;
    std::size_t size = std::min(vectors[0].iov_len, tls_record);
    if (n > 1 && size < tls_record) {
        size = 0;
        for (std::size_t i = 0; i < n && size < tls_record; ++i) {
            const std::size_t part = std::min(vectors[i].iov_len, tls_record - size);
            std::memcpy(scratch.data() + size, vectors[i].iov_base, part);
            size += part;
        }
        from = scratch.data();
    }
    write_wants_read_ = false;
    ERR_clear_error();
    const int written = SSL_write(ssl_.get(), from, static_cast<int>(size));
    if (written > 0) return {io_status::ok, static_cast<std::size_t>(written)};
    switch (SSL_get_error(ssl_.get(), written)) {
        case SSL_ERROR_WANT_WRITE:
            can_write_ = false;
            return {io_status::again, 0};
        case SSL_ERROR_WANT_READ:
            write_wants_read_ = true;
            can_read_ = false;
            return {io_status::again, 0};
        default:
            ERR_clear_error();
            return {io_status::failed, 0};
    }
}

awaitable<io_status> stream::write_all(std::span<const std::string_view> pieces, std::chrono::milliseconds stall,
                                       std::size_t offset) {
    std::size_t total = 0;
    for (const std::string_view p : pieces) total += p.size();
    std::size_t done = offset;
    while (done < total) {
        const io_result r = write_some(pieces, done);
        if (r.status == io_status::failed) co_return io_status::failed;
        done += r.bytes;
        if (r.status == io_status::again) {
            const ready how = co_await writable(stall);
            if (how == ready::timeout) co_return io_status::again;
        }
    }
    co_return io_status::ok;
}

}  // namespace sluice::net
