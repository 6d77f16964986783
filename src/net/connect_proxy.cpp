#include "net/connect_proxy.hpp"

#include "http/authority.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

namespace sluice::net {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

std::string lowered(std::string_view text) {
    std::string out{text};
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return out;
}

secret basic_credentials(const std::string& user, const secret& password) {
    std::string plain = user + ":" + std::string{password.reveal()};
    std::string coded(4 * ((plain.size() + 2) / 3) + 1, '\0');  // and the NUL that EVP_EncodeBlock writes
    const int size =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(coded.data()),
                        reinterpret_cast<const unsigned char*>(plain.data()), static_cast<int>(plain.size()));
    secret result{"Basic " + coded.substr(0, static_cast<std::size_t>(size))};
    OPENSSL_cleanse(plain.data(), plain.size());
    OPENSSL_cleanse(coded.data(), coded.size());
    return result;
}

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// The bytes of the CONNECT conversation, with a deadline. Its timer's handler shares it.
struct tunnel {
    tunnel(const asio::any_io_executor& worker, unique_fd fd) : socket(worker, fd.release()), timer(worker) {}
    asio::posix::stream_descriptor socket;
    asio::steady_timer timer;
    bool late = false;

    static void arm(const std::shared_ptr<tunnel>& t, std::chrono::steady_clock::time_point by) {
        t->timer.expires_at(by);
        t->timer.async_wait([t](error_code ec) {
            if (ec) return;
            t->late = true;
            error_code ignored;
            t->socket.cancel(ignored);
        });
    }
};

error proxy_late() {
    return error{error_kind::upstream_connect_timeout, "the proxy took too long"};
}

error proxy_broke(int error_number) {
    std::string text = "the proxy closed the connection";
    if (error_number != 0) text += ": " + std::generic_category().message(error_number);
    return error{error_kind::upstream_connect, std::move(text)};
}

// False: too late. Leaves by exception when cancelled.
awaitable<bool> wait(tunnel& t, asio::posix::descriptor_base::wait_type what) {
    if (t.late) co_return false;
    const auto [ec] = co_await t.socket.async_wait(what, asio::as_tuple(asio::use_awaitable));
    if (ec && !t.late) throw boost::system::system_error(ec);
    co_return !t.late;
}

awaitable<result<void>> send_all(tunnel& t, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::send(t.socket.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(n));
        } else if (errno == EAGAIN) {
            const bool ready = co_await wait(t, asio::posix::descriptor_base::wait_write);
            if (!ready) co_return proxy_late();
        } else if (errno != EINTR) {
            co_return proxy_broke(errno);
        }
    }
    co_return result<void>{};
}

awaitable<result<void>> await_open(tunnel& t) {
    connect_reply reply;
    char buffer[1024];
    for (;;) {
        const ssize_t n = ::recv(t.socket.native_handle(), buffer, sizeof buffer, 0);
        if (n > 0) {
            const auto progress = reply.feed({buffer, static_cast<std::size_t>(n)});
            if (!progress) co_return progress.error();
            if (*progress == connect_reply::progress::open) co_return result<void>{};
        } else if (n == 0) {
            co_return proxy_broke(0);
        } else if (errno == EAGAIN) {
            const bool ready = co_await wait(t, asio::posix::descriptor_base::wait_read);
            if (!ready) co_return proxy_late();
        } else if (errno != EINTR) {
            co_return proxy_broke(errno);
        }
    }
}

}  // namespace

void read(config_reader& r, proxy_config& c) {
    r.field("host", c.host, "Host name or address of the HTTP proxy.", required);
    r.field("port", c.port, "Port of the proxy.", {.min = 1, .max = 65535});
    r.field("user", c.user, "User name for Basic authentication; none when empty.");
    r.field("password", c.password, "Password for Basic authentication.");
    r.field("bypass", c.bypass,
            "Hosts reached without the proxy: names with all below them, .names, address blocks, *.");
    if (r.has("host") && !c.host.empty())
        if (const auto made = connect_proxy::make(c); !made) r.problem(made.error().param, made.error().message);
}

result<connect_proxy> connect_proxy::make(const proxy_config& config) {
    connect_proxy proxy;
    if (classify_host(config.host).form == host_form::invalid)
        return error{error_kind::bad_request, "\"" + config.host + "\" is neither a host name nor an address", "host"};
    proxy.host_ = config.host;
    proxy.port_ = config.port;
    if (config.user.find(':') != config.user.npos || has_control(config.user))
        return error{error_kind::bad_request, "a user name has no colon and no control characters", "user"};
    if (has_control(config.password.reveal()))
        return error{error_kind::bad_request, "a password has no control characters", "password"};
    if (!config.user.empty()) proxy.authorization_ = basic_credentials(config.user, config.password);
    for (const auto& entry : config.bypass) {
        if (entry == "*") {
            proxy.bypass_all_ = true;
        } else if (const auto block = cidr::parse(entry); block) {
            proxy.bypass_blocks_.push_back(*block);
        } else {
            std::string name = lowered(entry.starts_with("*.") ? std::string_view{entry}.substr(1) : entry);
            const std::string_view bare = name.starts_with('.') ? std::string_view{name}.substr(1) : name;
            const host_form form = classify_host(bare).form;
            if (form != host_form::name && form != host_form::localhost)
                return error{error_kind::bad_request, "\"" + entry + "\" is not a host name or an address block",
                             "bypass"};
            proxy.bypass_names_.push_back(std::move(name));
        }
    }
    return proxy;
}

bool connect_proxy::bypasses(std::string_view target_host) const {
    if (bypass_all_) return true;
    const host_kind kind = classify_host(target_host);
    if (kind.form == host_form::localhost) return true;
    if (kind.address) {
        if (classify(*kind.address) == address_class::loopback) return true;
        return std::any_of(bypass_blocks_.begin(), bypass_blocks_.end(),
                           [&](const cidr& block) { return block.contains(*kind.address); });
    }
    std::string host = lowered(target_host);
    if (host.ends_with('.')) host.pop_back();
    return std::any_of(bypass_names_.begin(), bypass_names_.end(), [&](const std::string& name) {
        if (name.starts_with('.')) return host.ends_with(name);
        if (host == name) return true;
        return host.size() > name.size() && host.ends_with(name) && host[host.size() - name.size() - 1] == '.';
    });
}

secret connect_proxy::request(std::string_view target_host, std::uint16_t target_port) const {
    const std::string authority = http::write_authority(target_host, target_port);
    std::string head;
    head.reserve(128 + 2 * authority.size() + authorization_.reveal().size());  // no regrowth leaves a copy behind
    head.append("CONNECT ").append(authority).append(" HTTP/1.1\r\nHost: ").append(authority).append("\r\n");
    if (!authorization_.empty()) head.append("Proxy-Authorization: ").append(authorization_.reveal()).append("\r\n");
    head.append("\r\n");
    return secret{std::move(head)};
}

result<connect_reply::progress> connect_reply::feed(std::string_view bytes) {
    constexpr std::string_view status_line = "HTTP/1.x 200";
    head_.append(bytes.substr(0, head_bytes_max + 1));
    const std::size_t end = head_.find("\r\n\r\n");
    if (end == head_.npos && head_.size() <= head_bytes_max) return progress::more;
    if (end == head_.npos || end + 4 > head_bytes_max)
        return error{error_kind::upstream_protocol, "the proxy's answer has a head of more than 8 KiB"};
    const bool shaped = head_.size() > status_line.size() && head_.starts_with("HTTP/1.") && is_digit(head_[7]) &&
                        head_[8] == ' ' && is_digit(head_[9]) && is_digit(head_[10]) && is_digit(head_[11]) &&
                        (head_[12] == ' ' || head_[12] == '\r');
    if (!shaped) return error{error_kind::upstream_protocol, "the proxy's answer is not HTTP/1"};
    const std::string status = head_.substr(9, 3);
    if (status == "407") return error{error_kind::upstream_connect, "the proxy wants other credentials (407)"};
    if (status[0] != '2')
        return error{error_kind::upstream_connect, "the proxy refused the tunnel with status " + status};
    if (head_.size() > end + 4)
        return error{error_kind::upstream_protocol, "the proxy sent data before the tunnel was used"};
    return progress::open;
}

awaitable<result<unique_fd>> open_tunnel(asio::any_io_executor worker, unique_fd fd, secret request,
                                         std::chrono::steady_clock::time_point by) {
    const auto t = std::make_shared<tunnel>(worker, std::move(fd));
    struct disarm_on_exit {
        tunnel& t;
        ~disarm_on_exit() { t.timer.cancel(); }
    } guard{*t};
    tunnel::arm(t, by);
    const auto sent = co_await send_all(*t, request.reveal());
    if (!sent) co_return sent.error();
    const auto opened = co_await await_open(*t);
    if (!opened) co_return opened.error();
    co_return unique_fd{t->socket.release()};
}

}  // namespace sluice::net
