#pragma once

#include <string>
#include <vector>

namespace agentloop {

/// The names in an open folder, in no order; throws `std::system_error`.
std::vector<std::string> names_in(int folder);

/// Whether `name` in an open folder is a folder, and no link to one; throws `std::system_error`.
bool is_folder(int parent, std::string const& name);

/// A name that nothing else has: 16 random hexadecimal digits.
std::string random_name();

}  // namespace agentloop
