#pragma once
#include <sluice/config.hpp>
#include <string>
#include <vector>
namespace sluice::routing {
struct credential_config { secret api_key; };
void read(config_reader& r, credential_config& c);
struct provider_config { std::string name, dialect, base_url; std::vector<credential_config> credentials; };
void read(config_reader& r, provider_config& c);
struct target_config { std::string provider, model; };
void read(config_reader& r, target_config& c);
struct model_config { std::string name; std::vector<target_config> targets; };
void read(config_reader& r, model_config& c);
struct routing_config { std::vector<provider_config> providers; std::vector<model_config> models; };
void read(config_reader& r, routing_config& c);
}
