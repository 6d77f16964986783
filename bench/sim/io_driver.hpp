#pragma once
// Gives an engine its time: one timer per instance, set to the end of the step in progress.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <unordered_map>
#include <vector>

#include "sim/engine.hpp"

namespace sluice::sim {

class generation;

class engine_driver {
public:
    // `time_scale`: real seconds per simulated second, above zero. All three outlive the driver.
    engine_driver(boost::asio::io_context& context, engine& e, double time_scale);

private:
    friend class generation;
    void arm();
    void on_timer();
    sim_time now() const;
    std::chrono::steady_clock::time_point real(sim_time t) const;

    engine& engine_;
    const double scale_;
    const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
    boost::asio::steady_timer timer_;
    std::unordered_map<std::uint64_t, generation*> waiting_;
    std::vector<progress> news_;
};

// One request in the engine for as long as this object lives: its end, however it comes, takes the request out.
class generation {
public:
    // `wake` is cancelled whenever tokens arrive; it must outlive the generation.
    generation(engine_driver& driver, sequence_spec spec, boost::asio::steady_timer& wake);
    ~generation();
    generation(const generation&) = delete;
    generation& operator=(const generation&) = delete;

    std::size_t delivered() const { return state_.delivered; }
    std::size_t cached_tokens() const { return state_.cached_tokens; }

private:
    friend class engine_driver;
    engine_driver& driver_;
    boost::asio::steady_timer& wake_;
    progress state_;
};

}  // namespace sluice::sim
