package import Model
import WireProtocol

extension Store {
    /// Forgets a node with its certificates, its inventory and its positions. What it measured stays until its time is
    /// up, and usage stays for ever. Throws `wrongState` while a service is on it, `notFound` when it is not there.
    package func removeNode(_ id: String, at time: Timestamp) throws(StoreError) {
        try transaction { () throws(StoreError) in
            guard try node(id) != nil else { throw .notFound(kind: "node", id: id) }
            guard try services(onNode: id).isEmpty else { throw .wrongState(kind: "node", id: id, state: "in use") }
            try run("UPDATE services SET node = NULL WHERE node = ?", [id])
            try setCatalogue(.array([]), of: id)
            let tables = [
                "certificates", "inventory", "positions", "inventory_sums", "sightings",
                "rooms", "promises",
            ]
            for table in tables {
                try run("DELETE FROM \(table) WHERE node = ?", [id])
            }
            try run("DELETE FROM nodes WHERE id = ?", [id])
            try forgetJournal(of: id)
            loads.forget(id)
            try settleFindings(ofNode: id, at: time)
            note(.node, id, node: id)
        }
    }
}
