<?php

namespace Paymenter\Extensions\Servers\Innkeeper;

use Exception;

/**
 * Why the controller did not do what it was asked. The message is one sentence for the staff of the panel: it names
 * neither the controller's address nor anything secret.
 */
final class ApiProblem extends Exception
{
    /**
     * @param  int  $status  0 where there was no answer
     * @param  string  $kind  the last part of the problem's type: not-found, conflict, invalid-field…
     */
    public function __construct(
        public readonly int $status,
        public readonly string $kind,
        string $message,
        public readonly bool $retryable = false,
        public readonly ?int $retryAfter = null,
    ) {
        parent::__construct($message);
    }

    public static function unreachable(string $cause): self
    {
        return new self(0, 'unreachable', "Innkeeper cannot be reached: $cause. Nothing is lost by trying again.", true);
    }

    /**
     * What an answer with a failure status says.
     *
     * @param  array<string, string>  $headers  names in lower case
     */
    public static function of(int $status, array $headers, string $body): self
    {
        $problem = json_decode($body, true);
        $problem = is_array($problem) ? $problem : [];
        $kind = basename(str_replace(':', '/', self::text($problem['type'] ?? null, 200)));
        $detail = self::text($problem['detail'] ?? null, 300);
        $retryable = in_array($status, [408, 425, 429, 502, 503, 504], true) || $kind === 'in-flight';
        $wait = $headers['retry-after'] ?? null;
        $message = match (true) {
            $status === 401 => 'Innkeeper does not know the API key: make one with "innctl key create --scope services" and enter it in the server\'s settings.',
            $status === 403 => 'The API key may not do this: it needs the scope "services" and must not be bound to a customer.',
            $status === 429 => 'Innkeeper has too many requests now: try again in a moment.',
            $status >= 500 => 'Innkeeper failed with status ' . $status . self::errorId($problem) . '. Try again later.',
            $status >= 300 && $status < 400 => 'The URL of the controller answers with a redirect: enter the URL of its API itself.',
            $detail === '' => "What answers at the controller's URL is not Innkeeper (status $status).",
            default => "Innkeeper refuses it: $detail",
        };

        return new self($status, $kind, $message, $retryable, ctype_digit((string) $wait) ? (int) $wait : null);
    }

    /** Text from the other side: one line, bounded. */
    public static function text(mixed $value, int $limit): string
    {
        if (!is_string($value)) {
            return '';
        }
        $line = preg_replace('/\p{C}+/u', ' ', $value) ?? '';

        return preg_match("/^.{0,$limit}/us", $line, $found) === 1 ? $found[0] : '';
    }

    private static function errorId(array $problem): string
    {
        $id = self::text($problem['error_id'] ?? null, 64);

        return $id === '' ? '' : " ($id in the controller's log)";
    }
}
