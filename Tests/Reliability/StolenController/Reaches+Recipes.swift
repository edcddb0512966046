import WireProtocol

/// What could be tried with recipes: scripts that are none of the node's owner, and words that a shell would obey.
extension Reaches {
    static func recipes(_ key: String, _ guest: JSONValue, _ resource: String) -> [Attempt] {
        let orders: [JSONObject] = [
            ["recipe": "../others"], ["recipe": "/etc/cron.d"], ["recipe": "right/../open"], ["recipe": ""],
            // Which everybody can write, and one that lies elsewhere.
            ["recipe": "open"], ["recipe": "linked"],
            ["recipe": "right", "verb": "../install"], ["recipe": "right", "verb": "nothing"],
            ["recipe": "right", "parameters": ["script": "id"]], ["recipe": "right", "parameters": ["word": "a\nid"]],
            ["recipe": "right", "parameters": ["word": ["a", "b"]]], ["recipe": "right", "script": "id"],
            ["recipe": "right", "parameters": ["word": "a"], "command": ["id"]],
            // All is in order but the guest, which is nobody's of ours.
            ["recipe": "right", "parameters": ["word": "$(id)"]],
        ]
        return orders.map { order in
            var arguments: JSONObject = [key: guest]
            for member in order.members { arguments[member.key] = member.value }
            return Attempt(resource, arguments)
        }
    }
}
