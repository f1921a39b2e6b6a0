package io.daosmesh.telemetry.web;

import at.favre.lib.crypto.bcrypt.BCrypt;
import com.sun.net.httpserver.Authenticator;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpPrincipal;
import io.daosmesh.telemetry.http.Origin;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Basic authentication against bcrypt hashes. One hash is computed at a time, an address that keeps failing waits a minute,
 * and a password that was right is not hashed again. Any thread.
 */
final class BasicUsers extends Authenticator {
    private static final String REALM = "daos metrics";
    /** Of bcrypt: what follows would not be compared. */
    private static final int PASSWORD_BYTES_MAX = 72;

    private static final int REMEMBERED_MAX = 100;
    private static final long TURN_WAIT_MAX_MS = 2_000;
    /** Of no password: a name that is not there takes as long as one that is. */
    private static final String NOBODY = "$2a$10$" + ".".repeat(53);

    private final Supplier<Map<String, String>> users;
    private final Failures failures = new Failures();
    private final ReentrantLock hashing = new ReentrantLock();
    private final Set<ByteBuffer> remembered = ConcurrentHashMap.newKeySet();
    private final SecretKeySpec secret;

    /** @param users asked for each request; nobody listed = everybody may read */
    BasicUsers(Supplier<Map<String, String>> users) {
        this.users = users;
        byte[] key = new byte[32];
        new SecureRandom().nextBytes(key);
        secret = new SecretKeySpec(key, "HmacSHA256");
    }

    /** What a request shows. */
    private record Credentials(String name, String password) {
        /** Empty when it is neither Base64 nor NAME:PASSWORD. */
        static Optional<Credentials> of(String header) {
            if (!header.regionMatches(true, 0, "Basic ", 0, 6)) return Optional.empty();
            try {
                String text = new String(
                        Base64.getDecoder().decode(header.substring(6).strip()), StandardCharsets.UTF_8);
                int colon = text.indexOf(':');
                if (colon < 0) return Optional.empty();
                return Optional.of(new Credentials(text.substring(0, colon), text.substring(colon + 1)));
            } catch (IllegalArgumentException e) {
                return Optional.empty();
            }
        }
    }

    /** Answers 401, 429 after too many wrong ones, 503 when too many are tested at once. */
    @Override
    public Result authenticate(HttpExchange exchange) {
        Map<String, String> known = users.get();
        if (known.isEmpty()) return new Success(new HttpPrincipal("anyone", REALM));
        String header = exchange.getRequestHeaders().getFirst("Authorization");
        exchange.getResponseHeaders().set("WWW-Authenticate", "Basic realm=\"" + REALM + "\", charset=\"UTF-8\"");
        if (header == null) return new Retry(401);
        Optional<Credentials> shown = Credentials.of(header);
        if (shown.isEmpty()) return new Failure(401);
        Result result = test(shown.get(), known, exchange);
        if (result instanceof Success) exchange.getResponseHeaders().remove("WWW-Authenticate");
        return result;
    }

    private Result test(Credentials shown, Map<String, String> known, HttpExchange exchange) {
        byte[] password = shown.password().getBytes(StandardCharsets.UTF_8);
        if (password.length > PASSWORD_BYTES_MAX) return new Failure(401);
        String hash = known.get(shown.name());
        ByteBuffer mark = mark(shown, hash == null ? NOBODY : hash);
        Success success = new Success(new HttpPrincipal(shown.name().isEmpty() ? "-" : shown.name(), REALM));
        if (remembered.contains(mark)) return success;
        String origin = Origin.of(exchange.getRemoteAddress().getAddress());
        if (!failures.mayTry(origin, System.nanoTime())) return new Failure(429);
        Optional<Boolean> verified = verify(password, hash == null ? NOBODY : hash);
        if (verified.isEmpty()) return new Failure(503);
        if (!verified.get() || hash == null) {
            failures.add(origin, System.nanoTime());
            return new Failure(401);
        }
        if (remembered.size() >= REMEMBERED_MAX) remembered.clear();
        remembered.add(mark);
        return success;
    }

    /** Empty when others had the processor for too long. */
    private Optional<Boolean> verify(byte[] password, String hash) {
        try {
            if (!hashing.tryLock(TURN_WAIT_MAX_MS, TimeUnit.MILLISECONDS)) return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
        try {
            return Optional.of(BCrypt.verifyer().verify(password, hash.getBytes(StandardCharsets.US_ASCII)).verified);
        } finally {
            hashing.unlock();
        }
    }

    /** Under a secret of this process: memory holds neither passwords nor what could be searched for them. */
    private ByteBuffer mark(Credentials shown, String hash) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(secret);
            // a hash holds no colon, nor does a name
            String text = hash + ':' + shown.name() + ':' + shown.password();
            return ByteBuffer.wrap(mac.doFinal(text.getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
