#include "sim/io_driver.hpp"

namespace sluice::sim {

engine_driver::engine_driver(boost::asio::io_context& context, engine& e, double time_scale)
    : engine_(e), scale_(time_scale), timer_(context) {}

sim_time engine_driver::now() const {
    const std::chrono::duration<double, std::nano> real_passed = std::chrono::steady_clock::now() - began_;
    return std::chrono::duration_cast<sim_time>(real_passed / scale_);
}

std::chrono::steady_clock::time_point engine_driver::real(sim_time t) const {
    // One nanosecond more, so that rounding never wakes us before the step has ended.
    const std::chrono::duration<double, std::nano> passed = t;
    return began_ + std::chrono::duration_cast<sim_time>(passed * scale_) + std::chrono::nanoseconds{1};
}

void engine_driver::arm() {
    const auto next = engine_.next_event();
    if (!next) return;
    timer_.expires_at(real(*next));
    timer_.async_wait([this](boost::system::error_code ec) {
        if (!ec) on_timer();
    });
}

void engine_driver::on_timer() {
    news_.clear();
    engine_.advance(now(), news_);
    for (const progress& p : news_) {
        const auto found = waiting_.find(p.id);
        if (found == waiting_.end()) continue;
        found->second->state_ = p;
        found->second->wake_.cancel();
    }
    arm();
}

generation::generation(engine_driver& driver, sequence_spec spec, boost::asio::steady_timer& wake)
    : driver_(driver), wake_(wake) {
    const bool idle = !driver_.engine_.next_event().has_value();
    state_.id = driver_.engine_.submit(std::move(spec), driver_.now());
    driver_.waiting_.emplace(state_.id, this);
    if (idle) driver_.arm();
}

generation::~generation() {
    driver_.waiting_.erase(state_.id);
    if (!state_.finished) driver_.engine_.cancel(state_.id);
}

}  // namespace sluice::sim
