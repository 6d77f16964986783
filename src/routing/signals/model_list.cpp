#include "routing/signals/model_list.hpp"

#include <sluice/json.hpp>

#include <algorithm>

namespace sluice::signals {

result<served_models> read_model_list(std::string_view body) {
    constexpr std::size_t names_max = 4096, name_bytes_max = 512;
    const auto whole = json_object::parse(body);
    if (!whole) return whole.error();
    served_models out;
    const auto data = whole->find("data");
    if (!data || data->type != json_type::array) return error{error_kind::bad_request, "has no list `data`", "data"};
    for (const json_value& item : json_elements(*data)) {
        if (item.type != json_type::object) continue;
        const auto model = json_object::inside(item);
        if (!model) return model.error();
        const auto id = model->find("id");
        const auto name = id ? id->string() : std::nullopt;
        if (!name || name->empty() || name->size() > name_bytes_max) continue;
        if (out.base.size() + out.adapters.size() >= names_max) break;
        const auto parent = model->find("parent");
        (parent && parent->type == json_type::string ? out.adapters : out.base).push_back(*name);
        if (const auto length = model->find("max_model_len"))
            out.context_max = std::max(out.context_max, length->integer().value_or(0));
    }
    return out;
}

}  // namespace sluice::signals
