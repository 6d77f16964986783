#include "net/upstream_pool.hpp"

#include <utility>

namespace sluice::net {

void read(config_reader& r, pool_limits& c) {
    r.field("idle_per_endpoint", c.idle_per_endpoint, "Unused connections kept per endpoint and worker.");
    r.field("idle_timeout", c.idle_time, "An unused connection closes after this.");
    r.field("max_age", c.age, "A connection is not reused after this, so that DNS changes are followed.");
    r.field("max_requests", c.requests, "Nor after so many requests.", {.min = 1});
}

// One exchange's hold on a link.
class http1_pool::lease final : public upstream_connection {
public:
    lease(http1_pool& home, std::unique_ptr<http1_link> link, bool reused)
        : home_(home), link_(std::move(link)), reused_(reused) {}
    ~lease() override {
        if (link_->reusable()) home_.give_back(std::move(link_));
    }

    awaitable<result<void>> send(const outgoing_request& request, std::span<std::string_view> pieces, bool whole,
                                 std::chrono::milliseconds timeout) override {
        return link_->send(request, pieces, whole, timeout);
    }
    awaitable<result<void>> send_body(std::string_view piece, bool last, std::chrono::milliseconds timeout) override {
        return link_->send_body(piece, last, timeout);
    }
    awaitable<result<response_head*>> receive_head(std::string_view method,
                                                   std::chrono::milliseconds timeout) override {
        return link_->receive_head(method, timeout);
    }
    awaitable<result<body_piece>> receive(std::chrono::milliseconds timeout) override {
        return link_->receive(timeout);
    }
    std::optional<result<body_piece>> receive_now() override { return link_->receive_now(); }
    bool buffered() override { return link_->buffered(); }
    bool answered() override { return link_->answered(); }
    bool reused() const override { return reused_; }
    bool got_bytes() const override { return link_->got_bytes(); }
    http1_link& link() { return *link_; }

private:
    http1_pool& home_;
    std::unique_ptr<http1_link> link_;
    bool reused_;
};

// A link in the pool: closed after its idle time, or the moment its other side closes.
class http1_pool::idle_link final : private timer_node {
public:
    idle_link(http1_pool& home, std::unique_ptr<http1_link> link) : home_(home), link_(std::move(link)) {
        link_->socket().watch_hang_up([](void* self) { static_cast<idle_link*>(self)->hung_up(); }, this);
        home_.loop_.timers().arm(*this, home_.loop_.now() + home_.limits_.idle_time);
    }
    std::unique_ptr<http1_link> take() {
        link_->socket().watch_hang_up(nullptr, nullptr);
        return std::move(link_);
    }
    const std::string& key() const { return link_->pool_key(); }

private:
    void expired() override { home_.drop(*this); }
    // Not at once: the stream that tells us is still on the stack. A dead link is found by begin().
    void hung_up() { home_.loop_.timers().arm(*this, home_.loop_.now()); }

    http1_pool& home_;
    std::unique_ptr<http1_link> link_;
};

http1_pool::http1_pool(reactor& loop, buffer_pool& buffers, dialer& d, pool_limits limits)
    : loop_(loop), buffers_(buffers), dialer_(d), limits_(limits) {}

http1_pool::~http1_pool() = default;

std::unique_ptr<upstream_connection> http1_pool::pooled(const upstream_endpoint& e) {
    const auto found = shelves_.find(e.pool_key);
    if (found == shelves_.end()) return nullptr;
    while (!found->second.empty()) {
        auto link = found->second.back()->take();
        found->second.pop_back();
        --idle_;
        if (!too_old(*link) && link->begin()) return std::make_unique<lease>(*this, std::move(link), true);
    }
    shelves_.erase(found);
    return nullptr;
}

awaitable<result<std::unique_ptr<upstream_connection>>> http1_pool::open(const upstream_endpoint& e, reuse which) {
    if (which == reuse::allowed) {
        if (auto waiting = pooled(e)) co_return waiting;
    }
    auto connected = co_await dialer_.dial(e);
    if (!connected) co_return connected.error();
    auto link = std::make_unique<http1_link>(std::move(*connected), buffers_, e.pool_key);
    link->begin();
    co_return std::unique_ptr<upstream_connection>(std::make_unique<lease>(*this, std::move(link), false));
}

void http1_pool::give_back(std::unique_ptr<http1_link> link) {
    if (link->requests() >= limits_.requests || too_old(*link)) return;
    const auto [found, fresh] = shelves_.try_emplace(link->pool_key());
    if (found->second.size() >= limits_.idle_per_endpoint) return;
    link->rest();
    found->second.push_back(std::make_unique<idle_link>(*this, std::move(link)));
    ++idle_;
}

void http1_pool::drop(idle_link& gone) {
    const auto found = shelves_.find(gone.key());
    std::erase_if(found->second, [&](const auto& each) { return each.get() == &gone; });
    --idle_;
    if (found->second.empty()) shelves_.erase(found);  // hosts of fetched URLs come and go
}

http1_link& link_of(upstream_connection& c) {
    return static_cast<http1_pool::lease&>(c).link();
}

}  // namespace sluice::net
