package import WireProtocol

/// A JSON file that people write for a daemon.
package enum ConfigurationFile {
    /// Reads the file and makes a value of its object.
    /// - Parameters:
    ///   - keys: every key the object may have; another one is an error that names it.
    ///   - make: takes the fields; nested objects check their own keys.
    package static func read<Value>(
        _ path: String, keys: Set<String>, _ make: (JSONObject) throws(FieldError) -> Value
    ) throws(ConfigurationError) -> Value {
        let bytes: [UInt8]
        do throws(FileError) {
            try FileMode.requireUnwritableByOthers(path)
            bytes = try AtomicFile.read(path)
        } catch { throw ConfigurationError(message: error.description) }
        return try parse(bytes, named: path, keys: keys, make)
    }

    /// The same for bytes that were read already.
    package static func parse<Value>(
        _ bytes: [UInt8], named path: String, keys: Set<String>,
        _ make: (JSONObject) throws(FieldError) -> Value
    ) throws(ConfigurationError) -> Value {
        let value: JSONValue
        do throws(JSONError) { value = try JSONParser.parse(bytes) } catch {
            throw ConfigurationError(message: "\(path): \(error)")
        }
        guard let object = value.asObject else { throw ConfigurationError(message: "\(path): must be a JSON object") }
        do throws(FieldError) {
            try object.allowOnly(keys)
            return try make(object)
        } catch { throw ConfigurationError(message: "\(path): \(error)") }
    }
}

/// A configuration that cannot be used; the message names the file and the key.
package struct ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    package let message: String

    package init(message: String) { self.message = message }

    package var description: String { message }
}
