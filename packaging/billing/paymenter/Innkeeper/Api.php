<?php

namespace Paymenter\Extensions\Servers\Innkeeper;

/**
 * The controller's API over HTTPS. All calls of one object share one time limit and one connection. What surely or maybe
 * did not arrive is sent again under the same idempotency key, so that it is done once.
 */
final class Api
{
    private const MAXIMUM_ANSWER = 4 << 20;

    private readonly string $url;

    private readonly float $deadline;

    private ?\CurlHandle $connection = null;

    /**
     * @param  string  $url  https://HOST[:PORT]
     * @param  string|null  $authority  PEM certificates that alone may vouch for the controller; null for those of the machine
     * @param  float  $seconds  for everything that is asked through this object
     * @param  int  $attempts  of one call
     */
    public function __construct(
        string $url,
        private readonly string $key,
        private readonly ?string $authority = null,
        float $seconds = 50,
        private readonly int $attempts = 4,
    ) {
        $this->url = self::checked($url);
        if (preg_match('/^[\x21-\x7e]{1,512}$/', $key) !== 1) {
            throw new ApiProblem(0, 'settings', 'The API key in the server\'s settings is missing or holds what no key holds.');
        }
        $this->deadline = microtime(true) + $seconds;
    }

    public function get(string $path): array
    {
        return $this->call('GET', $path);
    }

    /** Null where there is none. */
    public function find(string $path): ?array
    {
        try {
            return $this->call('GET', $path);
        } catch (ApiProblem $problem) {
            if ($problem->status === 404 && $problem->kind === 'not-found') {
                return null;
            }
            throw $problem;
        }
    }

    /** @param  string|null  $idempotencyKey  the same one twice is one request; without it every call is a new one */
    public function post(string $path, array $body = [], ?string $idempotencyKey = null): array
    {
        return $this->call('POST', $path, $body, $idempotencyKey ?? bin2hex(random_bytes(16)));
    }

    public function delete(string $path): array
    {
        return $this->call('DELETE', $path, null, bin2hex(random_bytes(16)));
    }

    /** All pages of a list, at most a thousand items. */
    public function all(string $path): array
    {
        $items = [];
        $cursor = '';
        for ($page = 0; $page < 10; $page++) {
            $list = $this->get($path . (str_contains($path, '?') ? '&' : '?') . 'limit=100' . $cursor);
            foreach (is_array($list['items'] ?? null) ? $list['items'] : [] as $item) {
                if (is_array($item)) {
                    $items[] = $item;
                }
            }
            if (!is_string($list['next'] ?? null)) {
                break;
            }
            $cursor = '&cursor=' . rawurlencode($list['next']);
        }

        return $items;
    }

    /** The operation once it has ended, or as it is when the time is over. */
    public function wait(string $operation, float $seconds): array
    {
        $end = min(microtime(true) + $seconds, $this->deadline - 2);
        $pause = 0.25;
        while (true) {
            $state = $this->get('/api/v1/operations/' . rawurlencode($operation));
            if (self::isOver($state) || microtime(true) + $pause > $end) {
                return $state;
            }
            usleep((int) ($pause * 1e6));
            $pause = min($pause * 1.5, 2);
        }
    }

    public static function isOver(array $operation): bool
    {
        return !in_array($operation['state'] ?? null, ['queued', 'running'], true);
    }

    private function call(string $method, string $path, ?array $body = null, ?string $idempotencyKey = null): array
    {
        for ($attempt = 1; ; $attempt++) {
            try {
                return $this->once($method, $path, $body, $idempotencyKey);
            } catch (ApiProblem $problem) {
                $pause = $problem->retryAfter ?? 0.5 * 2 ** ($attempt - 1);
                if (!$problem->retryable || $attempt >= $this->attempts || microtime(true) + $pause + 1 > $this->deadline) {
                    throw $problem;
                }
                usleep((int) ($pause * 1e6));
            }
        }
    }

    private function once(string $method, string $path, ?array $body, ?string $idempotencyKey): array
    {
        $left = $this->deadline - microtime(true);
        if ($left <= 0.1) {
            throw ApiProblem::unreachable('the time for it is over');
        }
        $fields = ['Accept: application/json', 'Authorization: Bearer ' . $this->key, 'Expect:'];
        if ($idempotencyKey !== null) {
            $fields[] = "Idempotency-Key: $idempotencyKey";
        }
        $answer = '';
        $headers = [];
        $options = [
            CURLOPT_URL => $this->url . $path,
            // A name of ".." must not become another path.
            CURLOPT_PATH_AS_IS => true,
            CURLOPT_CUSTOMREQUEST => $method,
            CURLOPT_PROTOCOLS => CURLPROTO_HTTPS,
            CURLOPT_FOLLOWLOCATION => false,
            CURLOPT_SSL_VERIFYPEER => true,
            CURLOPT_SSL_VERIFYHOST => 2,
            CURLOPT_SSLVERSION => CURL_SSLVERSION_TLSv1_2,
            CURLOPT_NOSIGNAL => true,
            CURLOPT_CONNECTTIMEOUT_MS => (int) (min(5, $left) * 1000),
            CURLOPT_TIMEOUT_MS => (int) (min(20, $left) * 1000),
            CURLOPT_HEADERFUNCTION => function ($_, string $line) use (&$headers): int {
                $parts = explode(':', $line, 2);
                if (count($parts) === 2) {
                    $headers[strtolower(trim($parts[0]))] = trim($parts[1]);
                }

                return strlen($line);
            },
            // Less than what came breaks the transfer off.
            CURLOPT_WRITEFUNCTION => function ($_, string $bytes) use (&$answer): int {
                if (strlen($answer) + strlen($bytes) > self::MAXIMUM_ANSWER) {
                    return 0;
                }
                $answer .= $bytes;

                return strlen($bytes);
            },
        ];
        if ($body !== null) {
            $fields[] = 'Content-Type: application/json';
            $options[CURLOPT_POSTFIELDS] = json_encode((object) $body, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES);
        }
        if ($this->authority !== null) {
            $options[CURLOPT_CAINFO_BLOB] = $this->authority;
        }
        $options[CURLOPT_HTTPHEADER] = $fields;
        $connection = $this->connection ??= curl_init();
        curl_reset($connection);
        curl_setopt_array($connection, $options);
        if (curl_exec($connection) === false) {
            throw self::transportProblem(curl_errno($connection));
        }
        $status = curl_getinfo($connection, CURLINFO_RESPONSE_CODE);
        if ($status < 200 || $status > 299) {
            throw ApiProblem::of($status, $headers, $answer);
        }
        if ($status === 204) {
            return [];
        }
        $model = json_decode($answer, true, 64);
        if (!is_array($model)) {
            throw new ApiProblem($status, 'malformed', "What answers at the controller's URL is not Innkeeper.");
        }

        return $model;
    }

    /** libcurl's own texts name hosts and addresses. */
    private static function transportProblem(int $code): ApiProblem
    {
        return match ($code) {
            CURLE_COULDNT_RESOLVE_HOST => ApiProblem::unreachable('its name cannot be resolved'),
            CURLE_COULDNT_CONNECT => ApiProblem::unreachable('nobody answers at its address'),
            CURLE_OPERATION_TIMEDOUT => ApiProblem::unreachable('it did not answer in time'),
            CURLE_SSL_CACERT, 60 => new ApiProblem(0, 'untrusted', 'The certificate of the controller is not vouched for: enter its authority (ca.pem) in the server\'s settings, or look who answers there.'),
            CURLE_SSL_CONNECT_ERROR => ApiProblem::unreachable('no TLS connection comes about'),
            CURLE_WRITE_ERROR => new ApiProblem(0, 'too-large', 'The answer of Innkeeper is too large.'),
            77 => new ApiProblem(0, 'settings', 'The authority in the server\'s settings is no PEM certificate.'),
            default => ApiProblem::unreachable("the connection broke (libcurl $code)"),
        };
    }

    /** Only an https URL without path, name and password, so that the key goes nowhere else. */
    private static function checked(string $url): string
    {
        if (preg_match('#^https://([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?/?$#', $url) !== 1) {
            throw new ApiProblem(0, 'settings', 'The URL in the server\'s settings must be https://HOST or https://HOST:PORT.');
        }

        return rtrim($url, '/');
    }
}
