package io.daosmesh.transport.credential;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.daosmesh.model.access.User;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.wire.CredentialMessage;
import io.daosmesh.model.wire.SignedCredentialMessage;
import io.daosmesh.transport.tls.Roles;
import java.io.ByteArrayInputStream;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * Signs what an agent says about a process and checks it (DAOS: AUTH_SYS token and verifier). Stateless. A credential is
 * needed when a connection is opened, and is shown to servers only, over TLS.
 */
public final class Credentials {
    /** Longest signed credential: it has to fit into the first frame of a connection, beside its other fields. */
    public static final int BYTES_MAX = 3 << 10;

    /** How far the clocks of an agent and a server may be apart. */
    static final Duration SKEW = Duration.ofMinutes(5);

    private static final Duration LIFE_MAX = Duration.ofHours(24);
    private static final SecureRandom RANDOM = new SecureRandom();

    private Credentials() {}

    /** @param life from now on; at most a day */
    public static CredentialMessage about(User user, String system, long nowMs, Duration life) {
        byte[] nonce = new byte[16];
        RANDOM.nextBytes(nonce);
        return CredentialMessage.newBuilder()
                .setSystem(system)
                .setMachine(user.machine())
                .setUser(user.user())
                .setGroup(user.group())
                .addAllGroups(user.groups())
                .setIssuedMs(nowMs)
                .setExpiresMs(nowMs + life.toMillis())
                .setNonce(ByteString.copyFrom(nonce))
                .build();
    }

    /** A {@link SignedCredentialMessage}. OVERFLOW when it is too long: too many or too long names of groups. */
    public static byte[] sign(CredentialMessage credential, PrivateKey key, X509Certificate certificate) {
        try {
            byte[] body = credential.toByteArray();
            Signature s = Signature.getInstance(algorithm(key.getAlgorithm()));
            s.initSign(key);
            s.update(body);
            return fitting(SignedCredentialMessage.newBuilder()
                    .setCredential(ByteString.copyFrom(body))
                    .setSignature(ByteString.copyFrom(s.sign()))
                    .setCertificate(ByteString.copyFrom(certificate.getEncoded()))
                    .build());
        } catch (GeneralSecurityException e) {
            throw Fault.of(FaultCode.BAD_CERT, "the agent's key cannot sign: %s", String.valueOf(e.getMessage()))
                    .asException();
        }
    }

    /** For systems with {@code allow_insecure}: nothing is proven. */
    public static byte[] unsigned(CredentialMessage credential) {
        return fitting(SignedCredentialMessage.newBuilder()
                .setCredential(credential.toByteString())
                .build());
    }

    private static byte[] fitting(SignedCredentialMessage signed) {
        if (signed.getSerializedSize() > BYTES_MAX) {
            throw Fault.of(FaultCode.OVERFLOW, "credential of %d bytes", signed.getSerializedSize())
                    .with("max", BYTES_MAX)
                    .remedy("let the user be in fewer groups")
                    .asException();
        }
        return signed.toByteArray();
    }

    /**
     * The user that a credential names. NO_PERM when it is for another system, has expired, or is not signed by an agent;
     * PROTO when it cannot be read.
     *
     * @param isTrusted throws a FaultException when the agent's certificate is not this system's authority's
     */
    public static User check(byte[] shown, String system, long nowMs, Consumer<X509Certificate> isTrusted) {
        SignedCredentialMessage signed = parse(shown);
        X509Certificate agent = certificate(signed.getCertificate());
        isTrusted.accept(agent);
        if (!Roles.of(agent).equals(java.util.Optional.of(Role.AGENT))) throw refused("is not signed by an agent");
        checkSignature(signed, agent);
        return read(signed, system, nowMs);
    }

    /** The same without proof, in insecure mode. */
    public static User believe(byte[] shown, String system, long nowMs) {
        return read(parse(shown), system, nowMs);
    }

    private static User read(SignedCredentialMessage signed, String system, long nowMs) {
        CredentialMessage c;
        try {
            c = CredentialMessage.parseFrom(signed.getCredential());
        } catch (InvalidProtocolBufferException e) {
            throw unreadable();
        }
        if (!c.getSystem().equals(system)) throw refused("is for another system");
        boolean tooEarly = c.getIssuedMs() > nowMs + SKEW.toMillis();
        boolean tooLong = c.getExpiresMs() - c.getIssuedMs() > LIFE_MAX.toMillis();
        if (tooEarly || tooLong || c.getExpiresMs() < c.getIssuedMs() || c.getExpiresMs() < nowMs) {
            throw refused("has expired, or the clocks of agent and server differ");
        }
        return User.of(c);
    }

    private static SignedCredentialMessage parse(byte[] shown) {
        if (shown.length > BYTES_MAX) throw unreadable();
        try {
            return SignedCredentialMessage.parseFrom(shown);
        } catch (InvalidProtocolBufferException e) {
            throw unreadable();
        }
    }

    private static X509Certificate certificate(ByteString der) {
        try {
            return (X509Certificate) CertificateFactory.getInstance("X.509")
                    .generateCertificate(new ByteArrayInputStream(der.toByteArray()));
        } catch (GeneralSecurityException e) {
            throw refused("names no certificate of an agent");
        }
    }

    private static void checkSignature(SignedCredentialMessage signed, X509Certificate agent) {
        try {
            Signature s = Signature.getInstance(algorithm(agent.getPublicKey().getAlgorithm()));
            s.initVerify(agent.getPublicKey());
            s.update(signed.getCredential().toByteArray());
            if (s.verify(signed.getSignature().toByteArray())) return;
        } catch (GeneralSecurityException e) {
            throw refused("is not what the agent has signed");
        }
        throw refused("is not what the agent has signed");
    }

    private static String algorithm(String key) {
        return switch (key) {
            case "EC" -> "SHA256withECDSA";
            case "RSA" -> "SHA256withRSA";
            default -> "EdDSA";
        };
    }

    private static RuntimeException refused(String why) {
        return Fault.of(FaultCode.NO_PERM, "the credential %s", why)
                .remedy("let the client ask its daos_agent for a new one")
                .asException();
    }

    private static RuntimeException unreadable() {
        return Fault.of(FaultCode.PROTO, "the credential cannot be read").asException();
    }
}
