#include "routing/issued_token.hpp"

#include "http/path.hpp"

#include <sluice/json.hpp>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace sluice::routing {
namespace {

using namespace std::chrono_literals;

constexpr auto margin = 60s;         // a token is renewed in its last minute
constexpr auto shortest_life = 10s;  // nor asked for more often than this
constexpr auto assumed_life = 300s;  // of one that does not say
constexpr auto longest_life = 24h;   // whatever the issuer says
constexpr auto retry_pause = 1s;     // after a failure
constexpr std::size_t token_bytes_max = 16 * 1024;

}  // namespace

struct issued_token_signer::state {
    state(token_request how, std::string owner_name, services& s)
        : ask(std::move(how)), owner(std::move(owner_name)), common(s), fetched(s.executor()) {}

    awaitable<result<void>> fetch();
    error failed(std::string text) {
        next_try = common.time().now() + retry_pause;
        return error{error_kind::credential, "No token for provider " + owner + ": " + std::move(text)};
    }

    token_request ask;
    std::string owner;
    services& common;
    boost::asio::steady_timer fetched;  // cancelled when a fetch ended: wakes those who wait
    bool fetching = false;
    bool valid() const { return !token.empty() && common.time().now() < expires; }

    secret token;  // with "Bearer "
    clock::time_point renew{}, expires{}, next_try{};
    std::optional<error> last_failure;
};

namespace {

// Marks the end of a fetch however it ends, so that nobody waits for one that was aborted.
struct fetch_mark {
    bool& fetching;
    boost::asio::steady_timer& fetched;
    ~fetch_mark() {
        fetching = false;
        fetched.cancel();
    }
};

}  // namespace

issued_token_signer::issued_token_signer(token_request ask, std::string_view owner, services& s)
    : state_(std::make_shared<state>(std::move(ask), std::string(owner), s)) {}
issued_token_signer::~issued_token_signer() = default;

awaitable<result<void>> issued_token_signer::state::fetch() {
    fetching = true;
    fetched.expires_at(boost::asio::steady_timer::time_point::max());
    const fetch_mark mark{fetching, fetched};
    auto request = ask();
    if (!request) co_return failed(request.error().message);
    auto reply = co_await common.fetcher().fetch(std::move(*request));
    if (!reply) co_return failed(reply.error().message);
    if (reply->head.status != 200) co_return failed("the issuer answered " + std::to_string(reply->head.status));
    const auto object = json_object::parse(reply->body);
    if (!object) co_return failed("the issuer's answer is not JSON");
    const auto text = object->find("access_token");
    const auto value = text ? text->string() : std::nullopt;
    if (!value || value->empty() || value->size() > token_bytes_max || !valid_header_value(*value))
        co_return failed("the issuer's answer has no access_token");
    const auto life = object->find("expires_in");
    const auto told = life ? life->integer().value_or(assumed_life.count()) : assumed_life.count();
    const std::chrono::seconds lives(
        std::clamp<std::int64_t>(told, shortest_life.count(), std::chrono::seconds(longest_life).count()));
    const auto now = common.time().now();
    token = secret("Bearer " + *value);
    expires = now + lives;
    renew = now + std::max<std::chrono::seconds>(shortest_life, lives - margin);
    co_return result<void>{};
}

awaitable<result<void>> issued_token_signer::authorize(std::string_view, std::string_view, std::string_view,
                                                       const std::vector<std::string_view>&, header_list& headers) {
    const std::shared_ptr<state> s = state_;
    while (s->token.empty() || s->common.time().now() >= s->renew) {
        // In its last minute the old token serves whoever would have to wait, and everybody when it cannot be renewed.
        if (s->fetching) {
            if (s->valid()) break;
            boost::system::error_code ignored;
            co_await s->fetched.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
            continue;
        }
        if (s->last_failure && s->common.time().now() < s->next_try) {
            if (s->valid()) break;
            co_return *s->last_failure;
        }
        auto done = co_await s->fetch();
        if (done) {
            s->last_failure.reset();
        } else {
            s->last_failure = done.error();
            if (!s->valid()) co_return done.error();
        }
    }
    headers.set("Authorization", s->token.reveal());
    co_return result<void>{};
}

fetch_request token_form(std::string_view url) {
    fetch_request request;
    request.method = "POST";
    request.url = url;
    request.headers.add("Content-Type", "application/x-www-form-urlencoded");
    request.headers.add("Accept", "application/json");
    return request;
}

void append_field(std::string& form, std::string_view name, std::string_view value) {
    if (value.empty()) return;
    if (!form.empty()) form += '&';
    form.append(name).append("=");
    http::percent_encode(form, value);
}

}  // namespace sluice::routing
