#include "dialects/responses/responses.hpp"

namespace sluice::chat::responses {
namespace {

// The field that needs what OpenAI stored; empty: none.
std::string_view state_field(const json_object& body) {
    for (const std::string_view key : {"previous_response_id", "conversation", "prompt"}) {
        const auto v = body.find(key);
        if (v && v->type != json_type::null) return key;
    }
    const auto background = body.find("background");
    return background && background->raw == "true" ? "background" : std::string_view{};
}

}  // namespace

bool needs_state(const json_object& body) {
    return !state_field(body).empty();
}

result<void> refuse_state(const json_object& body) {
    const std::string field(state_field(body));
    if (field.empty()) return {};
    const std::string advice = field == "background"
                                   ? " asks for an answer to be fetched later, which only OpenAI can keep"
                                   : " names what only OpenAI stores";
    return error{error_kind::bad_request,
                 "`" + field + "`" + advice +
                     ": the model's target speaks another dialect. Send the whole "
                     "conversation in `input` instead.",
                 field};
}

}  // namespace sluice::chat::responses
