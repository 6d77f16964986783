// The agent card of an A2A agent (Agent2Agent protocol, 0.3 and 1.0), as its clients shall see it: with the gateway's
// URL in place of the agent's own.
//
// A card names the URLs at which its agent is called: 0.3 in `url` with `additionalInterfaces`, 1.0 in
// `supportedInterfaces`. An interface is found again behind the gateway by its path: what the URL's path has behind the
// path of the upstream's URL is put behind the gateway's. Hosts are not compared: agents often know themselves
// by a name of their own. Interfaces that lie elsewhere and those of gRPC, which does not pass here, are left out, and
// the signatures too, since they are of another text. Everything else stays byte for byte.
#pragma once

#include <sluice/result.hpp>

#include <map>
#include <string>
#include <string_view>

namespace sluice::a2a {

struct card_changes {
    std::string url;                            // of the gateway, without a slash at its end
    std::map<std::string, std::string> fields;  // set on the card: name to JSON text
};

// `upstream_path` is the path of the upstream's URL, "" or without a slash at its end. Error: upstream_protocol when
// the text is no card, or when none of its interfaces passes here.
result<std::string> served_card(std::string_view card, std::string_view upstream_path, const card_changes& changes);

// The same for a JSON-RPC answer whose result is a card. One that carries an error stays as it is.
result<std::string> served_card_result(std::string_view answer, std::string_view upstream_path,
                                       const card_changes& changes);

}  // namespace sluice::a2a
