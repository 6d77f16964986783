#include "stages/route/arm_desk.hpp"

#include "governance/catalogue/cost.hpp"
#include "pipeline/error_reply.hpp"
#include "routing/arms/checks.hpp"

#include <algorithm>

namespace sluice::route {
namespace {

using routing::model_state;

constexpr std::size_t subject_bytes_max = 256;

// The text of a field, or of a field one level in: "metadata.user_id".
std::string field_text(const json_object& body, std::string_view path) {
    std::optional<json_value> value = body.find(path);
    const std::size_t dot = path.find('.');
    if (!value && dot != std::string_view::npos) {
        const auto outer = body.find(path.substr(0, dot));
        if (!outer || outer->type != json_type::object) return {};
        const auto inner = json_object::inside(*outer);
        if (inner) value = inner->find(path.substr(dot + 1));
    }
    if (!value || value->type == json_type::null) return {};
    return value->string().value_or(std::string(value->raw.substr(0, subject_bytes_max)));
}

bool measured(const routing::model_config& m) {
    return std::any_of(m.targets.begin(), m.targets.end(), [](const auto& t) { return !t.arm.empty(); });
}

// A model's name as one segment of a path.
std::string path_segment(std::string_view name) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : name) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                           c == '.' || c == '_' || c == '~';
        const auto byte = static_cast<unsigned char>(c);
        if (plain) {
            out += c;
        } else {
            out.append("%").append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
        }
    }
    return out;
}

header_list told_of(const routing::life_config& life, std::chrono::sys_days today) {
    header_list told;
    const bool ends = life.state == model_state::draining || life.state == model_state::retired;
    // Without a day of its own a model that ends is deprecated since we know of it.
    if (life.deprecated || ends) told.add("Deprecation", routing::deprecation_value(life.deprecated.value_or(today)));
    if (life.sunset) told.add("Sunset", routing::sunset_value(*life.sunset));
    if (!life.successor.empty())
        told.add("Link", "</v1/models/" + path_segment(life.successor) + ">; rel=\"successor-version\"");
    return told;
}

std::optional<arm_error> error_of_status(int status) {
    if (status == 429) return arm_error::rate_limited;
    if (status == 408 || status == 504) return arm_error::timeout;
    if (status >= 500) return arm_error::upstream;
    if (status >= 400) return arm_error::client;
    return std::nullopt;
}

std::optional<arm_error> error_of(const exchange& x) {
    switch (x.aborted()) {
        case abort_reason::none:
            break;
        case abort_reason::client_gone:
        case abort_reason::client_write_stall:
            return arm_error::client;
        case abort_reason::total_timeout:
            return arm_error::timeout;
        case abort_reason::drain:
        case abort_reason::shutdown:
            return arm_error::gateway;
    }
    if (!x.failure()) return error_of_status(x.upstream_status);
    const error& e = *x.failure();
    if (e.kind == error_kind::upstream_status || status_of(e) == 504 || status_of(e) == 429)
        return error_of_status(status_of(e));
    switch (traits(e.kind).whose) {
        case blame::client:
            return arm_error::client;
        case blame::gateway:
            return arm_error::gateway;
        case blame::upstream:
            break;
    }
    return arm_error::upstream;
}

double seconds(clock::time_point from, clock::time_point to) {
    return std::chrono::duration<double>(to - from).count();
}

}  // namespace

std::string stay_subject(const routing::model_config& model, const exchange& x) {
    std::string subject;
    switch (model.stay) {
        case routing::sticky::none:
            break;
        case routing::sticky::key:
            subject = x.caller.key_id;
            break;
        case routing::sticky::session:
            subject = x.request().headers.find(model.session_header).value_or("");
            break;
        case routing::sticky::header:
            subject = x.request().headers.find(model.sticky_by).value_or("");
            break;
        case routing::sticky::body:
            if (x.parsed_json() != nullptr) subject = field_text(*x.parsed_json(), model.sticky_by);
            break;
    }
    if (subject.size() > subject_bytes_max) subject.resize(subject_bytes_max);
    return subject;
}

// --- the desk -----------------------------------------------------------------------------------------------------

arm_desk::arm_desk(const routing::model_table& models, const known_models& known, services& s)
    : known_(known), services_(s) {
    for (const auto& m : models.models()) {
        if (measured(m->config) || m->config.stay != routing::sticky::none) board_ = arm_board::of(s);
    }
    for (const auto& m : models.models()) {
        enter(*m);
        if (!m->config.life.successor.empty())
            successors_.emplace(m.get(), models.find(m->config.life.successor).which);
    }
    if (board_ != nullptr) series_ = board_->all(s.metrics());
}

void arm_desk::enter(const routing::model& m) {
    const auto today = std::chrono::floor<std::chrono::days>(services_.time().wall());
    desk_entry e{told_of(m.config.life, today), {}, std::nullopt};
    if (m.config.stay != routing::sticky::none) subjects_ = board_->subjects.of(&services_);
    if (measured(m.config)) {
        recent_ = board_->recent.of(&services_);
        const auto id = [&](const std::string& arm) {
            const auto made = board_->id_of(m.config.name, arm.empty() ? routing::unnamed_arm : arm);
            if (made) board_->series(*made, services_.metrics());
            return made;
        };
        for (const routing::target& t : m.targets) e.arms.push_back(id(t.config.arm));
        const bool all_named = std::all_of(m.targets.begin(), m.targets.end(),
                                           [](const routing::target& t) { return !t.config.arm.empty(); });
        if (!all_named || !m.fallback.empty()) e.unnamed = id({});
    }
    if (!e.told.empty() || !e.arms.empty()) entries_.emplace(&m, std::move(e));
}

arm_desk::admission arm_desk::admit(const exchange& x, routing::found_model& found, std::string& subject) const {
    const routing::life_config& life = found.which->config.life;
    if (!routing::may_see(life, x.caller)) return admission::unknown;
    subject = stay_subject(found.which->config, x);
    const std::uint64_t mark =
        subjects_ != nullptr && !subject.empty() ? board_->hash(found.which->config.name, subject) : 0;
    const bool stays = life.state != model_state::draining || (mark != 0 && board_->subjects.find(mark));
    if (life.state != model_state::retired && stays) {
        if (mark != 0) subjects_->put(mark, 0);
        return admission::serve;
    }
    const auto next = successors_.find(found.which);
    if (next == successors_.end() || next->second == nullptr) return admission::gone;
    found = {next->second, {}};
    subject = stay_subject(found.which->config, x);
    if (subjects_ != nullptr && !subject.empty()) subjects_->put(board_->hash(found.which->config.name, subject), 0);
    return admission::serve;
}

awaitable<void> arm_desk::say_gone(exchange& x) {
    const error e{error_kind::model_not_found, "The model `" + x.model + "` has been retired.", "model"};
    error_reply reply = make_error_reply(e, error_shape_of(x.request().path()));
    reply.head.status = 410;
    co_await x.respond(std::move(reply.head), reply.body);
}

const arm_desk::desk_entry* arm_desk::entry_of(const routing::model& m) const {
    if (entries_.empty()) return nullptr;
    const auto found = entries_.find(&m);
    return found == entries_.end() ? nullptr : &found->second;
}

void arm_desk::note(const exchange& x, std::uint16_t arm) const {
    if (recent_ != nullptr) recent_->put(board_->hash(x.caller, x.request_id()), arm);
}

std::int64_t arm_desk::cost_of(const routing::model& m, const routing::target& t, std::string_view star,
                               const token_usage& usage) const {
    if (!known_.any() || !usage.reported()) return 0;
    const catalogue::model_info* const info = known_.find(upstream_name(m, t, star));
    return info != nullptr ? catalogue::cost(info->prices, catalogue::billable(usage)).nano_dollars : 0;
}

// --- a visit ------------------------------------------------------------------------------------------------------

arm_visit::arm_visit(const arm_desk& desk, exchange& x, const routing::model& asked, const routing::model& serves,
                     std::string_view star)
    : desk_(desk),
      x_(x),
      serves_(serves),
      star_(star),
      told_(desk.entry_of(asked)),
      measured_(&asked == &serves ? told_ : desk.entry_of(serves)) {
    if (told_ != nullptr && told_->told.empty()) told_ = nullptr;
    if (measured_ != nullptr && measured_->arms.empty()) measured_ = nullptr;
    if (told_ != nullptr) {
        for (const auto field : told_->told) x.failure_headers.set(field.name, field.value);
    }
    if (told_ == nullptr && (measured_ == nullptr || !serves.config.expose_arm)) return;
    teller_.emplace(x.reply(), *this);
    scope_.emplace(x, *teller_, sink_scope::needs::pieces);
}

arm_visit::~arm_visit() {
    if (arm_) count();
}

void arm_visit::attempt(const routing::candidate& c) {
    if (measured_ == nullptr) return;
    std::optional<std::uint16_t> next = measured_->unnamed;
    if (c.of == &serves_) {
        const auto at = static_cast<std::size_t>(c.to - serves_.targets.data());
        if (at < measured_->arms.size()) next = measured_->arms[at];
    }
    if (arm_ && next != arm_) desk_.series(*arm_).left.add();
    of_ = c.of;
    to_ = c.to;
    // Known before the answer is: whoever has its last byte may judge it at once.
    if (next && next != arm_) desk_.note(x_, *next);
    arm_ = next;
}

void arm_visit::count() const {
    arm_series& s = desk_.series(*arm_);
    s.requests.add();
    if (const auto failed = error_of(x_)) {
        s.errors[static_cast<std::size_t>(*failed)]->add();
    } else {
        s.duration.observe(seconds(x_.started(), desk_.time().now()));
        if (x_.stream && x_.first_byte != clock::time_point{})
            s.first_token.observe(seconds(x_.started(), x_.first_byte));
    }
    // What a broken answer used is paid for as well.
    if (x_.usage.input > 0) s.input.add(x_.usage.input);
    if (x_.usage.output > 0) s.output.add(x_.usage.output);
    if (const std::int64_t cost = desk_.cost_of(*of_, *to_, star_, x_.usage); cost > 0) s.cost.add(cost);
}

awaitable<void> arm_visit::teller::head(response_head& h) {
    if (visit_.told_ != nullptr) {
        for (const auto field : visit_.told_->told) h.headers.set(field.name, field.value);
    }
    if (visit_.serves_.config.expose_arm && visit_.arm_) {
        const bool own = visit_.of_ == &visit_.serves_ && !visit_.to_->config.arm.empty();
        h.headers.set("x-sluice-arm", own ? std::string_view(visit_.to_->config.arm) : routing::unnamed_arm);
    }
    return forwarding_sink::head(h);
}

}  // namespace sluice::route
