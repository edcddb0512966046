import APIModels
import HTTPTypes
import Hummingbird
import Logging
import Model

/// Around every request: one line in the log, one answer whatever happens, and the counters.
struct RequestLog: RouterMiddleware {
    typealias Context = APIContext

    let counters: RequestCounters
    /// The most particular first.
    private let lists: [EndpointList]

    init(counters: RequestCounters, lists: [EndpointList]) {
        self.counters = counters
        self.lists = lists.sorted { $0.prefix.utf8.count > $1.prefix.utf8.count }
    }

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        var response: Response
        do {
            response = try await next(request, context)
        } catch {
            let errors = errors(at: request.uri.path)
            var problem = errors.problem(error, context.logger)
            problem.instance = request.uri.path
            // Who waits for leave to send a body may send it or not: where the next request begins nobody can tell.
            let isUnclear = error is BrokenBody || request.headers[.expect] != nil
            response = errors.response(
                problem, closing: context.isStream ? nil : context.channel, always: isUnclear)
        }
        response.headers[.requestID] = context.requestID
        let took = ContinuousClock.now - start
        let route = context.endpointPath ?? "none"
        counters.count(context.method.rawValue, route, status: response.status.code, took: took)
        context.logger.log(
            level: response.status.code >= 500 ? .warning : .info, "request",
            metadata: [
                "method": .string(String(context.method.rawValue.prefix(20))),
                "path": .string(Self.shown(request.uri.path)),
                "status": "\(response.status.code)", "ms": "\(took.wholeMilliseconds)",
                "remote": .string(context.remote ?? "-"),
            ])
        return response
    }

    /// The shape of errors at a path, whether or not there is anything.
    private func errors(at path: String) -> ErrorShape {
        lists.first { path == $0.prefix || path.hasPrefix($0.prefix + "/") }?.errors ?? ErrorShape { _ in nil }
    }

    /// The path, without what could break a line of the log, and not longer than anyone wants to read.
    private static func shown(_ path: String) -> String {
        String(path.prefix(200).map { $0.isASCII && !$0.isNewline && $0 >= " " ? $0 : "?" })
    }
}
