package io.daosmesh.transport.server;

import io.daosmesh.model.port.Role;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Tokens for clear data channels: asked for over TLS, shown in the SETUP of a connection without TLS. Any thread. A token
 * is role, rank, expiry and an HMAC-SHA256 under a key that lives as long as this process; it admits its bearer to data
 * RPCs in that role until it expires, and is needed at SETUP only.
 */
public final class SessionTokens {
    /** Long enough for a slow connect, short enough to be useless soon. */
    public static final long LIFE_MS = 30_000;

    private static final int BODY_BYTES = 1 + 4 + 8 + 8;
    private static final int MAC_BYTES = 32;
    private static final String ALGORITHM = "HmacSHA256";

    private final SecureRandom random = new SecureRandom();
    private volatile SecretKeySpec key = newKey();

    /** Makes all tokens void that have been issued so far. */
    public void forgetAll() {
        key = newKey();
    }

    private SecretKeySpec newKey() {
        byte[] bytes = new byte[32];
        random.nextBytes(bytes);
        return new SecretKeySpec(bytes, ALGORITHM);
    }

    /** What a valid token says. */
    public record Bearer(Role role, int rank) {}

    public byte[] issue(Bearer bearer, long nowMs) {
        ByteBuffer token = ByteBuffer.allocate(BODY_BYTES + MAC_BYTES);
        token.put((byte) bearer.role().ordinal()).putInt(bearer.rank()).putLong(nowMs + LIFE_MS);
        token.putLong(random.nextLong());
        token.put(mac(token.array()));
        return token.array();
    }

    /** Empty when it was not issued here or has expired. Compares in constant time. */
    public Optional<Bearer> check(byte[] token, long nowMs) {
        if (token.length != BODY_BYTES + MAC_BYTES) return Optional.empty();
        ByteBuffer t = ByteBuffer.wrap(token);
        byte[] shown = new byte[MAC_BYTES];
        t.get(BODY_BYTES, shown);
        boolean genuine = MessageDigest.isEqual(mac(token), shown);
        int role = t.get();
        int rank = t.getInt();
        boolean fresh = t.getLong() >= nowMs;
        if (!genuine || !fresh || role < 0 || role >= Role.values().length) return Optional.empty();
        return Optional.of(new Bearer(Role.values()[role], rank));
    }

    private byte[] mac(byte[] token) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(key);
            mac.update(token, 0, BODY_BYTES);
            return mac.doFinal();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has " + ALGORITHM, e);
        }
    }
}
