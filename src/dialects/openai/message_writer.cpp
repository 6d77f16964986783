#include "dialects/openai/message_writer.hpp"

#include "dialects/openai/openai.hpp"
#include "dialects/openai/part_writer.hpp"
#include "dialects/values.hpp"

#include <algorithm>
#include <utility>

namespace sluice::chat::openai {
namespace {

using http::json_writer;

template <class T>
const T* as(const part& p) {
    return std::get_if<T>(&p.value);
}

class message_writer {
public:
    message_writer(const conversation& c, const chat_quirks& q, losses& lost, json_writer& w)
        : c_(c), q_(q), lost_(lost), w_(w) {}

    result<void> write(std::size_t index) {
        const message& m = c_.messages[index];
        at_ = index;
        if (m.who != role::user) {
            if (auto written = media_of_results(); !written) return written;
        }
        if (c_.dialect != chat_name) lost_.hints(m.extras, place_of(index) + ".");
        switch (m.who) {
            case role::system:
                return plain("system", m);
            case role::developer:
                return plain(q_.developer_role ? "developer" : "system", m);
            case role::user:
                return user(m);
            case role::assistant:
                return assistant(m);
        }
        return {};
    }

    // Behind the last message.
    result<void> finish() { return media_of_results(); }

private:
    void begin(std::string_view role, const message& m) {
        w_.begin_object().key("role").string(role);
        if (!m.name.empty()) w_.key("name").raw(m.name);
    }

    void end(const message& m) {
        if (c_.dialect == chat_name) {
            for (const extra_field& f : m.extras) w_.key(f.key).raw(f.value);
        }
        w_.end_object();
    }

    // A single text stands as a string: servers that know no parts take it.
    result<void> content(const std::vector<const part*>& parts) {
        w_.key("content");
        const part* first = parts.empty() ? nullptr : parts.front();
        const text_part* text = first == nullptr ? nullptr : as<text_part>(*first);
        const bool marked = first != nullptr && !first->cache_control.empty() && q_.cache_control;
        if (parts.empty()) {
            w_.string("");
            return {};
        }
        if (parts.size() == 1 && text != nullptr && !marked && first->extras.empty()) {
            if (!first->cache_control.empty()) lost_.hint(place_of(at_, index_of(*first)) + ".cache_control");
            w_.raw(text->text);
            return {};
        }
        w_.begin_array();
        bool any = false;
        for (const part* p : parts) {
            const auto written = write_part(*p, place_of(at_, index_of(*p)), c_, q_, lost_, arena_, w_);
            if (!written) return written.error();
            any |= *written;
        }
        // A list with nothing in it is refused.
        if (!any) w_.begin_object().key("type").string("text").key("text").string("").end_object();
        w_.end_array();
        return {};
    }

    std::size_t index_of(const part& p) const { return static_cast<std::size_t>(&p - c_.messages[at_].content.data()); }

    result<void> plain(std::string_view role, const message& m) {
        std::vector<const part*> parts;
        for (const part& p : m.content) parts.push_back(&p);
        begin(role, m);
        auto written = content(parts);
        end(m);
        return written;
    }

    // Results of tools come first, each a message of its own, right behind the calls they answer.
    result<void> user(const message& m) {
        std::vector<const part*> rest;
        for (const part& p : m.content) {
            const auto* r = as<tool_result>(p);
            if (r == nullptr) {
                rest.push_back(&p);
                continue;
            }
            if (auto written = write_result(m, p, *r); !written) return written;
            if (std::any_of(r->content.begin(), r->content.end(),
                            [](const part& inner) { return as<text_part>(inner) == nullptr; }))
                with_media_.emplace_back(at_, r);
        }
        if (rest.empty() && !m.content.empty()) return {};
        if (auto written = media_of_results(); !written) return written;
        begin("user", m);
        auto written = content(rest);
        end(m);
        return written;
    }

    result<void> write_result(const message& m, const part& p, const tool_result& r) {
        const std::string at = place_of(at_, index_of(p));
        w_.begin_object().key("role").string("tool");
        w_.key("tool_call_id").raw(r.call_id.empty() ? json{R"("")"} : r.call_id);
        if (!r.name.empty() && c_.dialect == chat_name) w_.key("name").raw(r.name);
        w_.key("content");
        if (stays_parts(r)) {
            w_.begin_array();
            for (const part& text : r.content) {
                if (as<text_part>(text) == nullptr) continue;
                if (auto written = write_part(text, at, c_, q_, lost_, arena_, w_); !written) return written.error();
            }
            w_.end_array();
        } else {
            w_.raw(plain_text(r, at));
        }
        if (r.is_error) lost_.hint(at + ".is_error");
        if (!p.cache_control.empty()) {
            if (q_.cache_control) {
                w_.key("cache_control").raw(p.cache_control);
            } else {
                lost_.hint(at + ".cache_control");
            }
        }
        if (c_.dialect != chat_name) lost_.hints(p.extras, at + ".");
        end(m);
        return {};
    }

    // Several texts stay parts, and so does a text with a marker or a field that only a part can have.
    bool stays_parts(const tool_result& r) const {
        std::size_t texts = 0;
        bool more = false;
        for (const part& p : r.content) {
            if (as<text_part>(p) == nullptr) continue;
            ++texts;
            more |= (!p.cache_control.empty() && q_.cache_control) || (!p.extras.empty() && c_.dialect == chat_name);
        }
        return r.structured.empty() && (texts > 1 || more);
    }

    json plain_text(const tool_result& r, const std::string& at) {
        for (const part& p : r.content) {
            if (as<text_part>(p) == nullptr) continue;
            if (!p.cache_control.empty()) lost_.hint(at + ".cache_control");
            lost_.hints(p.extras, at + ".");
        }
        return text_of(r, arena_);
    }

    // A message of role tool takes nothing but text: what else tools gave follows as the user's, behind the last
    // result, as nothing may stand between results.
    result<void> media_of_results() {
        const std::size_t here = at_;
        for (const auto& [message, r] : std::exchange(with_media_, {})) {
            at_ = message;
            if (auto written = media_of_result(*r); !written) return written;
        }
        at_ = here;
        return {};
    }
    result<void> media_of_result(const tool_result& r) {
        w_.begin_object().key("role").string("user").key("content").begin_array();
        std::string label = "Returned by the call ";
        label.append(decode(r.call_id)).append(":");
        w_.begin_object().key("type").string("text").key("text").string(label).end_object();
        for (const part& p : r.content) {
            if (as<text_part>(p) != nullptr) continue;
            if (auto written = write_part(p, place_of(at_), c_, q_, lost_, arena_, w_); !written)
                return written.error();
        }
        w_.end_array().end_object();
        return {};
    }

    result<void> assistant(const message& m) {
        std::vector<const part*> said, calls, thoughts, refusals;
        for (std::size_t i = 0; i < m.content.size(); ++i) {
            const part& p = m.content[i];
            if (as<tool_call>(p) != nullptr) {
                calls.push_back(&p);
            } else if (const auto* r = as<reasoning_part>(p)) {
                thoughts.push_back(&p);
                note_thought(*r, i);
            } else if (as<refusal_part>(p) != nullptr) {
                refusals.push_back(&p);
            } else {
                said.push_back(&p);
            }
        }
        begin("assistant", m);
        thinking(thoughts);
        if (said.empty() && (!calls.empty() || !refusals.empty())) {
            w_.key("content").null();
        } else if (auto written = content(said); !written) {
            return written;
        }
        refuse(refusals);
        if (!calls.empty()) {
            w_.key("tool_calls").begin_array();
            for (const part* p : calls) write_call(*p, c_, arena_, w_);
            w_.end_array();
        }
        for (const auto* others : {&calls, &refusals}) note_lost(*others);
        // Behind a call or a refusal only the message can be marked.
        const part* const last = m.content.empty() ? nullptr : &m.content.back();
        if (last != nullptr && marked_outside(*last)) w_.key("cache_control").raw(last->cache_control);
        end(m);
        return {};
    }

    bool marked_outside(const part& p) const {
        return q_.cache_control && !p.cache_control.empty() &&
               (as<tool_call>(p) != nullptr || as<refusal_part>(p) != nullptr);
    }
    void note_lost(const std::vector<const part*>& parts) {
        for (const part* p : parts) {
            const std::size_t i = index_of(*p);
            const bool last = i + 1 == c_.messages[at_].content.size();
            if (!p->cache_control.empty() && !(last && marked_outside(*p)))
                lost_.hint(place_of(at_, i) + ".cache_control");
            if (c_.dialect != chat_name) lost_.hints(p->extras, place_of(at_, i) + ".");
        }
    }

    void refuse(const std::vector<const part*>& refusals) {
        if (refusals.empty()) return;
        std::vector<part> texts;
        for (const part* p : refusals) texts.push_back({text_part{std::get<refusal_part>(p->value).text, {}, {}}});
        w_.key("refusal").raw(text_of(texts, arena_));
    }

    // Only plain text can be sent back, and only what such a server made.
    bool sendable(const reasoning_part& r) const {
        return q_.history != chat_quirks::reasoning::none && (r.from.empty() || r.from == "openai") &&
               r.signature.empty() && r.encrypted.empty() && !r.text.empty();
    }
    void note_thought(const reasoning_part& r, std::size_t index) {
        if (!sendable(r)) lost_.hint(place_of(at_, index));
    }
    void thinking(const std::vector<const part*>& thoughts) {
        std::vector<part> plain;
        for (const part* p : thoughts) {
            const auto& r = std::get<reasoning_part>(p->value);
            if (sendable(r)) plain.push_back({text_part{r.text, {}, {}}});
        }
        if (plain.empty()) return;
        w_.key(q_.history == chat_quirks::reasoning::content ? "reasoning_content" : "reasoning");
        w_.raw(text_of(plain, arena_));
    }

    const conversation& c_;
    const chat_quirks& q_;
    losses& lost_;
    json_writer& w_;
    text_arena arena_;
    std::size_t at_ = 0;
    std::vector<std::pair<std::size_t, const tool_result*>> with_media_;  // by message: not yet written
};

}  // namespace

result<void> write_messages(const conversation& c, const chat_quirks& q, losses& lost, json_writer& w) {
    message_writer writer(c, q, lost, w);
    for (std::size_t i = 0; i < c.messages.size(); ++i) {
        if (auto written = writer.write(i); !written) return written;
    }
    return writer.finish();
}

}  // namespace sluice::chat::openai
