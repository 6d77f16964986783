#include "stages/route/model_list.hpp"

#include "http/json_writer.hpp"

namespace sluice::route {
namespace {

// The form has a time of creation, which a configured name does not: a fixed one, so that answers do not change.
constexpr std::int64_t created = 1700000000;

// Is it listed, and described, for this caller? What has no successor any more leads nowhere.
bool served(const routing::model& m, const identity& caller) {
    const routing::life_config& life = m.config.life;
    return routing::may_see(life, caller) && (life.state != routing::model_state::retired || !life.successor.empty());
}

// Beside OpenAI's fields those of a model that is not simply active.
void write_life(http::json_writer& w, const routing::life_config& life) {
    if (life.state != routing::model_state::active) w.key("state").string(routing::name_of(life.state));
    if (!life.successor.empty()) w.key("successor").string(life.successor);
    if (life.deprecated) w.key("deprecated").string(routing::day_text(*life.deprecated));
    if (life.sunset) w.key("sunset").string(routing::day_text(*life.sunset));
}

void write_model(http::json_writer& w, std::string_view name, const routing::model& m) {
    w.begin_object().key("id").string(name).key("object").string("model").key("created").integer(created);
    w.key("owned_by").string(m.targets.empty() ? "sluice" : std::string_view(m.targets.front().config.provider));
    write_life(w, m.config.life);
    w.end_object();
}

}  // namespace

std::string list_models(const routing::model_table& models, const identity& caller) {
    std::string out;
    http::json_writer w(out);
    w.begin_object().key("object").string("list").key("data").begin_array();
    for (const auto& m : models.models()) {
        if (!served(*m, caller)) continue;
        const std::string& name = m->config.name;
        if (name.find('*') == std::string::npos && caller.may_use(name)) write_model(w, name, *m);
        for (const std::string& alias : m->config.aliases) {
            if (caller.may_use(alias)) write_model(w, alias, *m);
        }
    }
    w.end_array().end_object();
    return out;
}

std::optional<std::string> describe_model(const routing::model_table& models, const identity& caller,
                                          std::string_view name) {
    const auto found = models.find(name);
    if (found.which == nullptr || !caller.may_use(name) || !served(*found.which, caller)) return std::nullopt;
    std::string out;
    http::json_writer w(out);
    write_model(w, name, *found.which);
    return out;
}

}  // namespace sluice::route
