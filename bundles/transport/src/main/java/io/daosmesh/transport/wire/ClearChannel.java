package io.daosmesh.transport.wire;

import java.security.GeneralSecurityException;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * How a data channel without TLS starts: the client names a session, the server sends a nonce, the client answers with an HMAC-SHA256
 * over both under the session's key, which only TLS has carried. Then come RSocket frames, each with a CRC32C behind it. Stateless.
 */
public final class ClearChannel {
    /** First bytes of such a connection; neither a TLS record nor an RSocket frame starts like that. */
    public static final int MAGIC = 0x444D4331;

    public static final int ID_BYTES = 16;
    public static final int KEY_BYTES = 32;
    public static final int NONCE_BYTES = 16;
    public static final int PROOF_BYTES = 32;

    private static final String ALGORITHM = "HmacSHA256";

    private ClearChannel() {}

    public static byte[] proof(byte[] key, byte[] id, byte[] nonce) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(new SecretKeySpec(key, ALGORITHM));
            mac.update(id);
            return mac.doFinal(nonce);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has " + ALGORITHM, e);
        }
    }
}
