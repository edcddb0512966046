package import Model

/// What is wrong with a network: the field, as `subnets[0].gateway`, and the end of a sentence that begins with it.
package struct NetworkProblem: Error, Sendable, Hashable {
    package var field: String
    package var problem: String
}

extension Network {
    private static let limit = 64

    /// Throws what cannot be, of this network alone.
    package func check() throws(NetworkProblem) {
        try refuse(vlan.map { !(1...4094).contains($0) } ?? false, "vlan", "must be from 1 to 4094")
        let least: Int64 = subnets.contains { $0.prefix.network.family == .v6 } ? 1280 : 576
        try refuse(
            mtu.map { !(least...65_535).contains($0) } ?? false, "mtu",
            "must be from \(least) to 65535 (IPv6 needs 1280)")
        try refuse(subnets.count > Self.limit, "subnets", "must be at most \(Self.limit)")
        try refuse(resolvers.count > 8, "resolvers", "must be at most 8")
        for (index, subnet) in subnets.enumerated() {
            do throws(NetworkProblem) { try subnet.check() } catch {
                throw NetworkProblem(field: "subnets[\(index)].\(error.field)", problem: error.problem)
            }
            let other = subnets[..<index].first { $0.prefix.range.overlaps(subnet.prefix.range) }
            if let other {
                throw NetworkProblem(field: "subnets[\(index)].prefix", problem: "overlaps \(other.prefix)")
            }
        }
    }

    /// The part of another network that shares addresses with this one.
    package func overlap(with other: Network) -> (mine: IPPrefix, theirs: IPPrefix)? {
        for mine in subnets {
            if let theirs = other.subnets.first(where: { $0.prefix.range.overlaps(mine.prefix.range) }) {
                return (mine.prefix, theirs.prefix)
            }
        }
        return nil
    }
}

extension Subnet {
    private static let limit = 1000
    /// Not of a network between hosts: this host, loopback, multicast and what is reserved behind it.
    private static let never = ["0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "::/128", "::1/128", "ff00::/8"]
        .compactMap { IPPrefix($0)?.range }

    fileprivate func check() throws(NetworkProblem) {
        if let taken = Self.never.first(where: { $0.overlaps(prefix.range) }) {
            throw NetworkProblem(field: "prefix", problem: "must not hold addresses of \(taken)")
        }
        try refuse(ranges.count > Self.limit, "ranges", "must be at most \(Self.limit)")
        try refuse(excluded.count > Self.limit, "exclude", "must be at most \(Self.limit)")
        if let gateway {
            try refuse(!prefix.range.contains(gateway), "gateway", "must lie in \(prefix)")
            try refuse(prefix.special.contains(gateway), "gateway", "must be an address that a host can have")
        }
        for (field, list) in [("ranges", ranges), ("exclude", excluded)] {
            for (index, range) in list.enumerated() {
                try refuse(!prefix.range.contains(range), "\(field)[\(index)]", "must lie in \(prefix)")
            }
        }
        for (index, range) in ranges.enumerated() {
            let other = ranges[..<index].first { $0.overlaps(range) }
            if let other { throw NetworkProblem(field: "ranges[\(index)]", problem: "overlaps \(other)") }
        }
        try refuse(space.ranges.isEmpty, "ranges", "must leave at least one address that a host can have")
    }
}

private func refuse(_ isWrong: Bool, _ field: String, _ problem: String) throws(NetworkProblem) {
    if isWrong { throw NetworkProblem(field: field, problem: problem) }
}
