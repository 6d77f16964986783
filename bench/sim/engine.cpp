#include "sim/engine.hpp"

#include <algorithm>

namespace sluice::sim {

engine::engine(const engine_profile& profile)
    : profile_(profile), cache_(std::max<std::size_t>(1, profile.kv_tokens / profile.block_tokens)) {}

bool engine::fits(const sequence_spec& spec) const {
    const std::size_t total = spec.prompt_tokens + spec.output_tokens;
    return total <= profile_.model_tokens_max && blocks_for(total) <= cache_.blocks();
}

std::uint64_t engine::submit(sequence_spec spec, sim_time now) {
    sequence s;
    s.id = next_id_++;
    s.prefill_end = std::max<std::size_t>(1, spec.prompt_tokens);
    s.spec = std::move(spec);
    s.spec.prompt_tokens = s.prefill_end;
    s.spec.output_tokens = std::max<std::size_t>(1, s.spec.output_tokens);
    const std::uint64_t id = s.id;
    waiting_.push_back(std::move(s));
    if (!step_end_) begin_step(now);
    return id;
}

void engine::cancel(std::uint64_t id) {
    const auto is_it = [id](const sequence& s) { return s.id == id; };
    if (const auto r = std::find_if(running_.begin(), running_.end(), is_it); r != running_.end()) {
        cache_.release(r->blocks);
        running_.erase(r);
        return;
    }
    std::erase_if(waiting_, is_it);
}

void engine::advance(sim_time now, std::vector<progress>& out) {
    while (step_end_ && *step_end_ <= now) {
        const sim_time ended = *step_end_;
        end_step(out);
        begin_step(ended);
    }
}

std::optional<sim_time> engine::next_event() const {
    return step_end_;
}

void engine::begin_step(sim_time now) {
    step_end_.reset();
    lora_delay_ = {};
    for (sequence& s : running_) s.scheduled = 0;
    std::size_t budget = profile_.prefill_budget;
    schedule_decodes(budget);
    schedule_prefills(budget);
    admit(budget);
    if (running_.empty()) return;
    step_end_ = now + step_length();
    ++totals_.steps;
}

// Running decodes come first: they hold memory and somebody is reading them.
void engine::schedule_decodes(std::size_t& budget) {
    for (std::size_t i = 0; i < running_.size(); ++i) {
        if (!running_[i].decoding() || budget == 0) continue;
        const std::size_t needed = blocks_for(running_[i].computed + 1);
        // The youngest gives way, which may be this one itself.
        while (i < running_.size() && running_[i].blocks.size() < needed && !cache_.allocate(1, running_[i].blocks)) {
            preempt_last();
        }
        if (i >= running_.size()) return;
        running_[i].scheduled = 1;
        --budget;
    }
}

void engine::schedule_prefills(std::size_t& budget) {
    for (sequence& s : running_) {
        if (s.decoding() || budget == 0) continue;
        s.scheduled = std::min(budget, s.prefill_end - s.computed);
        budget -= s.scheduled;
    }
}

void engine::admit(std::size_t& budget) {
    // Someone who waits for an adapter slot does not hold up the others; someone who waits for memory does.
    for (std::size_t i = 0; i < waiting_.size() && budget > 0 && running_.size() < profile_.sequences_max;) {
        if (!waiting_[i].spec.lora.empty() && !lora_ready(waiting_[i].spec.lora)) {
            ++i;
            continue;
        }
        if (!try_admit(waiting_[i])) return;
        running_.push_back(std::move(waiting_[i]));
        waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
        sequence& s = running_.back();
        s.scheduled = std::min(budget, s.prefill_end - s.computed);
        budget -= s.scheduled;
    }
}

bool engine::try_admit(sequence& s) {
    const std::size_t shared = reusable_blocks(s);
    cache_.share(s.spec.hashes, shared, s.blocks);
    if (!cache_.allocate(blocks_for(s.prefill_end) - shared, s.blocks)) {
        cache_.release(s.blocks);
        s.blocks.clear();
        return false;
    }
    s.computed = shared * profile_.block_tokens;
    totals_.prefix_queries += s.prefill_end;
    totals_.prefix_hits += s.computed;
    if (!s.admitted_once) {
        s.admitted_once = true;
        s.cached = s.computed;
        totals_.prompt_tokens += s.spec.prompt_tokens;
    }
    return true;
}

bool engine::lora_ready(const std::string& name) {
    if (const auto found = std::find(loras_.begin(), loras_.end(), name); found != loras_.end()) {
        std::rotate(found, found + 1, loras_.end());
        return true;
    }
    if (loras_.size() >= profile_.lora_slots) {
        const auto idle = std::find_if(loras_.begin(), loras_.end(), [this](const std::string& loaded) {
            return std::none_of(running_.begin(), running_.end(),
                                [&](const sequence& s) { return s.spec.lora == loaded; });
        });
        if (idle == loras_.end()) return false;
        loras_.erase(idle);
    }
    loras_.push_back(name);
    lora_delay_ += profile_.lora_load;
    return true;
}

void engine::preempt_last() {
    sequence s = std::move(running_.back());
    running_.pop_back();
    cache_.release(s.blocks);
    s.blocks.clear();
    s.computed = 0;
    s.scheduled = 0;
    s.prefill_end = s.spec.prompt_tokens + s.delivered;  // what it had said is computed again
    waiting_.push_front(std::move(s));
    ++totals_.preemptions;
}

void engine::end_step(std::vector<progress>& out) {
    for (std::size_t i = 0; i < running_.size();) {
        sequence& s = running_[i];
        const std::size_t before = s.computed;
        s.computed += s.scheduled;
        if (s.scheduled > 0) publish(s, before);
        if (s.scheduled == 0 || !s.decoding()) {
            ++i;
            continue;
        }
        ++s.delivered;
        ++totals_.generated_tokens;
        const bool finished = s.delivered >= s.spec.output_tokens;
        out.push_back({s.id, s.delivered, s.cached, finished});
        if (!finished) {
            ++i;
            continue;
        }
        ++totals_.finished;
        cache_.release(s.blocks);
        running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
    }
}

void engine::publish(sequence& s, std::size_t before) {
    const std::size_t end = std::min({s.computed / profile_.block_tokens, s.spec.hashes.size(), s.blocks.size()});
    for (std::size_t b = before / profile_.block_tokens; b < end; ++b) cache_.publish(s.blocks[b], s.spec.hashes[b]);
}

sim_time engine::step_length() const {
    std::size_t prefill = 0, decodes = 0, context = 0;
    for (const sequence& s : running_) {
        if (s.scheduled == 0) continue;
        if (s.decoding()) {
            ++decodes;
            context += s.computed;
        } else {
            prefill += s.scheduled;
        }
    }
    const auto times = [](std::size_t n) { return static_cast<sim_time::rep>(n); };
    return profile_.step_base + lora_delay_ + times(prefill) * profile_.per_prefill_token +
           times(decodes) * profile_.per_decode + times(context) * profile_.per_context_token;
}

std::size_t engine::blocks_for(std::size_t tokens) const {
    return (tokens + profile_.block_tokens - 1) / profile_.block_tokens;
}

// At least one token must be computed, or there is nothing to sample the first token from.
std::size_t engine::reusable_blocks(const sequence& s) const {
    const std::size_t limit = std::min((s.prefill_end - 1) / profile_.block_tokens, s.spec.hashes.size());
    return cache_.match(std::span(s.spec.hashes).first(limit));
}

std::size_t engine::run_at_once(const sequence_spec& spec) {
    sequence s;
    s.spec = spec;
    s.prefill_end = std::max<std::size_t>(1, spec.prompt_tokens);
    s.spec.prompt_tokens = s.prefill_end;
    totals_.generated_tokens += spec.output_tokens;
    ++totals_.finished;
    if (!try_admit(s)) return 0;
    const std::size_t total = s.prefill_end + spec.output_tokens;
    if (blocks_for(total) > s.blocks.size()) (void)cache_.allocate(blocks_for(total) - s.blocks.size(), s.blocks);
    s.computed = total;
    publish(s, 0);
    cache_.release(s.blocks);
    return s.cached;
}

engine_load engine::load() const {
    engine_load l = totals_;
    l.running = running_.size();
    l.waiting = waiting_.size();
    l.kv_blocks = cache_.blocks();
    l.kv_blocks_used = cache_.in_use();
    const auto collect = [](const sequences& from, std::vector<std::string>& to) {
        for (const sequence& s : from) {
            if (!s.spec.lora.empty() && std::find(to.begin(), to.end(), s.spec.lora) == to.end()) {
                to.push_back(s.spec.lora);
            }
        }
    };
    collect(running_, l.loras_running);
    collect(waiting_, l.loras_waiting);
    return l;
}

}  // namespace sluice::sim
