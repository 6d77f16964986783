#include "dialects/responses/item_writer.hpp"
#include "dialects/responses/options_writer.hpp"
#include "dialects/responses/responses.hpp"
#include "dialects/values.hpp"

#include <algorithm>

namespace sluice::chat::responses {
namespace {

using http::json_writer;

// Fields that chat completions and Responses have in common and that need no translation.
constexpr std::string_view openai_fields[] = {"store", "safety_identifier", "prompt_cache_retention",
                                              "prompt_cache_options", "moderation"};

bool is_zero(json number) {
    return number.find_first_not_of("-0.") == std::string_view::npos;
}

class request_writer {
public:
    request_writer(const conversation& c, losses& lost, std::string& out)
        : c_(c), lost_(lost), w_(out), x_{c, lost, arena_, c.dialect == dialect_name} {}

    result<void> write(std::string_view model) {
        w_.begin_object().key("model").string(model);
        auto written = input();
        if (written) written = write_tools(x_, w_);
        if (!written) return written;
        write_text_options(x_, w_);
        write_reasoning_options(x_, w_);
        sampling();
        written = refusals();
        if (!written) return written;
        include();
        others();
        if (c_.stream) w_.key("stream").boolean(true);
        w_.end_object();
        return {};
    }

private:
    result<void> input() {
        if (const text_part* const text = instructions_of(c_)) {
            if (!c_.messages.front().content.front().cache_control.empty())
                lost_.hint(place_of(0, 0) + ".cache_control");
            w_.key("instructions").raw(text->text);
        }
        w_.key("input").begin_array();
        auto written = write_items(x_, w_);
        w_.end_array();
        return written;
    }

    void member(std::string_view key, json value) {
        if (!value.empty()) w_.key(key).raw(value);
    }

    void sampling() {
        const sampling_options& s = c_.sampling;
        if (s.tokens_max) w_.key("max_output_tokens").integer(*s.tokens_max);
        member("temperature", s.temperature);
        member("top_p", s.top_p);
        member("top_logprobs", s.top_logprobs);
        if (!s.seed.empty()) lost_.hint("seed");
        const auto vendor = [&](std::string_view key, json value) {
            if (!value.empty() && !is_zero(value)) lost_.hint(std::string(key));
        };
        vendor("top_k", s.top_k);
        vendor("min_p", s.min_p);
        if (s.repetition_penalty != "1" && s.repetition_penalty != "1.0")
            vendor("repetition_penalty", s.repetition_penalty);
    }

    // What Responses has no place for although chat completions have.
    result<void> refusals() {
        const sampling_options& s = c_.sampling;
        const bool many = !s.candidates.empty() && s.candidates != "1";
        const bool presence = !s.presence_penalty.empty() && !is_zero(s.presence_penalty);
        const bool frequency = !s.frequency_penalty.empty() && !is_zero(s.frequency_penalty);
        bool bias = false, speaks = false;
        each_member(s.logit_bias, [&](std::string_view, const json_value&) { bias = true; });
        each_element(c_.modalities, [&](const json_value& v) { speaks |= !says(v.raw, "text"); });
        struct {
            bool said;
            std::string_view field, what;
        } const rows[] = {
            {!s.stop.empty(), "stop", "stop sequences"},
            {many, "n", "a request for several answers"},
            {presence, "presence_penalty", "a presence penalty"},
            {frequency, "frequency_penalty", "a frequency penalty"},
            {bias, "logit_bias", "a bias of tokens"},
            {speaks, "modalities", "a request for other answers than text"},
        };
        for (const auto& row : rows) {
            if (!row.said) continue;
            auto lost = lost_.feature(std::string(row.field), row.what);
            if (!lost) return lost;
        }
        if (!c_.audio.empty()) lost_.hint("audio");
        return {};
    }

    // Encrypted reasoning is what a conversation without a store needs for its next turn. Models that do not reason
    // refuse to be asked for it.
    void include() {
        std::vector<std::string_view> entries;
        const bool reasons = c_.reasoning.how == reasoning_options::mode::on || !c_.reasoning.summary.empty();
        if (reasons) entries.push_back(R"("reasoning.encrypted_content")");
        if (c_.sampling.logprobs == "true") entries.push_back(R"("message.output_text.logprobs")");
        for (const extra_field& f : c_.extras) {
            if (f.key != "include" || !x_.own) continue;
            each_element(f.value, [&](const json_value& v) {
                if (std::find(entries.begin(), entries.end(), v.raw) == entries.end()) entries.push_back(v.raw);
            });
        }
        if (entries.empty()) return;
        w_.key("include").begin_array();
        for (const std::string_view e : entries) w_.raw(e);
        w_.end_array();
    }

    void others() {
        const bool openai = c_.dialect.starts_with("openai.");
        member("user", c_.user);
        member("prompt_cache_key", c_.prompt_cache_key);
        // The tiers and the metadata of others mean other things.
        const auto only_openai = [&](std::string_view key, json value) {
            if (value.empty()) return;
            if (openai) {
                w_.key(key).raw(value);
            } else {
                lost_.hint(std::string(key));
            }
        };
        only_openai("metadata", c_.metadata);
        only_openai("service_tier", c_.service_tier);
        if (!c_.safety_settings.empty()) lost_.hint("safety_settings");
        if (!c_.cache_control.empty()) lost_.hint("cache_control");
        bool store = false;
        for (const extra_field& f : c_.extras) {
            if (x_.own && (f.key == "text" || f.key == "reasoning" || f.key == "include")) continue;
            const bool shared = openai && std::find(std::begin(openai_fields), std::end(openai_fields), f.key) !=
                                              std::end(openai_fields);
            if (!x_.own && !shared) {
                lost_.hint(std::string(f.key));
                continue;
            }
            store |= f.key == "store";
            w_.key(f.key).raw(f.value);
        }
        // Here an answer is kept unless one says otherwise.
        if (!store) w_.key("store").boolean(false);
    }

    const conversation& c_;
    losses& lost_;
    json_writer w_;
    text_arena arena_;
    writing x_;
};

}  // namespace

result<void> write_request(const conversation& c, const target_facts& t, losses& lost, std::string& out) {
    return request_writer(c, lost, out).write(t.model);
}

}  // namespace sluice::chat::responses
