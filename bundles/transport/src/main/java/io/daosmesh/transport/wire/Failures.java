package io.daosmesh.transport.wire;

import com.google.protobuf.InvalidProtocolBufferException;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.wire.FaultMessage;
import io.daosmesh.transport.tls.RefusedCertificate;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import io.rsocket.exceptions.ApplicationErrorException;
import io.rsocket.exceptions.InvalidSetupException;
import io.rsocket.exceptions.RejectedSetupException;
import io.rsocket.exceptions.SetupException;
import java.io.IOException;
import java.net.ConnectException;
import java.nio.channels.ClosedChannelException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.util.Base64;
import java.util.Locale;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** What libraries throw, as faults that an operator understands. Stateless. */
public final class Failures {
    private static final String REFUSAL_PREFIX = "daosmesh:";
    private static final String NEW_CERTIFICATES = "make new certificates with daos-certs";

    private Failures() {}

    /** A refused SETUP: the fault travels as text of RSocket's REJECTED_SETUP error. */
    public static RejectedSetupException refusedSetup(Fault fault) {
        return new RejectedSetupException(REFUSAL_PREFIX
                + Base64.getEncoder().encodeToString(fault.toWire().toByteArray()));
    }

    /** @param peer {@code host:port} for the text */
    public static Fault of(Throwable error, String peer) {
        for (Throwable t = error; t != null; t = cause(t)) {
            Fault fault = known(t, peer);
            if (fault != null) return fault;
        }
        String text = error.getMessage() == null ? error.getClass().getSimpleName() : error.getMessage();
        return Fault.of(FaultCode.MISC, text);
    }

    /** True when nobody listens there. */
    public static boolean isRefused(Throwable error) {
        for (Throwable t = error; t != null; t = cause(t)) {
            if (t instanceof ConnectException && !isTimeout(t)) return true;
        }
        return false;
    }

    private static boolean isTimeout(Throwable t) {
        return t.getClass().getSimpleName().contains("Timeout");
    }

    /** True when the peer went away or fell silent in the middle of a handshake: nothing is wrong with certificates. */
    private static boolean isBrokenHandshake(Throwable t) {
        if (!(t instanceof SSLException)) return false;
        if (t instanceof SslHandshakeTimeoutException) return true;
        boolean isBroken = false;
        for (Throwable c = cause(t); c != null; c = cause(c)) {
            if (c instanceof CertificateException) return false;
            isBroken |= c instanceof IOException && !(c instanceof SSLException);
        }
        return isBroken;
    }

    private static @Nullable Throwable cause(Throwable t) {
        return t.getCause() == t ? null : t.getCause();
    }

    private static @Nullable Fault known(Throwable t, String peer) {
        if (t instanceof FaultException f) return f.fault();
        if (t instanceof SetupException) return ofSetup(t, peer);
        if (isBrokenHandshake(t)) {
            return Fault.of(FaultCode.UNREACH, "the connection to %s broke: %s", peer, text(t));
        }
        if (t instanceof CertificateException || t instanceof SSLException) return ofTls(t, peer);
        if (isTimeout(t) && t instanceof ConnectException) {
            return Fault.of(FaultCode.UNREACH, "%s does not answer the connect", peer);
        }
        if (t instanceof TimeoutException) return Fault.of(FaultCode.TIMEDOUT, "no answer of %s in time", peer);
        if (t instanceof ConnectException) return Fault.of(FaultCode.UNREACH, "%s refuses the connection", peer);
        if (t instanceof InvalidProtocolBufferException) {
            return Fault.of(FaultCode.PROTO, "message of %s cannot be read: %s", peer, text(t));
        }
        if (t instanceof ClosedChannelException) {
            return Fault.of(FaultCode.UNREACH, "the connection to %s was closed", peer);
        }
        if (t instanceof ApplicationErrorException) return Fault.of(FaultCode.MISC, "%s: %s", peer, text(t));
        if (t instanceof io.rsocket.RSocketErrorException) {
            return Fault.of(FaultCode.UNREACH, "the connection to %s broke: %s", peer, text(t));
        }
        // netty wraps an SSLException into its DecoderException: look at the cause first
        if (t.getCause() == null && t instanceof IOException) {
            return Fault.of(FaultCode.UNREACH, "the connection to %s broke: %s", peer, text(t));
        }
        return null;
    }

    private static Fault ofSetup(Throwable t, String peer) {
        String text = text(t);
        if (text.startsWith(REFUSAL_PREFIX)) {
            try {
                byte[] bytes = Base64.getDecoder().decode(text.substring(REFUSAL_PREFIX.length()));
                return Fault.fromWire(FaultMessage.parseFrom(bytes)).with("peer", peer);
            } catch (IllegalArgumentException | InvalidProtocolBufferException e) {
                return Fault.of(FaultCode.PROTO, "%s refused the connection: %s", peer, text);
            }
        }
        if (t instanceof InvalidSetupException && text.toLowerCase(Locale.ROOT).contains("time")) {
            return Fault.of(FaultCode.UNREACH, "%s got no SETUP in time", peer);
        }
        return Fault.of(FaultCode.PROTO, "%s refused the connection: %s", peer, text);
    }

    private static Fault ofTls(Throwable t, String peer) {
        for (Throwable c = t; c != null; c = cause(c)) {
            if (c instanceof RefusedCertificate r) return r.fault().with("peer", peer);
            if (c instanceof CertificateExpiredException) {
                return badCert("the certificate of %s has expired (%s)", peer, text(c));
            }
            if (c instanceof CertificateNotYetValidException) {
                return badCert("the certificate of %s is not valid yet (%s)", peer, text(c));
            }
        }
        String text = text(t);
        String lower = text.toLowerCase(Locale.ROOT);
        if (lower.contains("certificate_expired")) {
            return badCert("%s says that our certificate has expired", peer);
        }
        if (lower.contains("certificate_revoked")) {
            return badCert("%s says that our certificate is revoked", peer);
        }
        if (lower.contains("path") || lower.contains("unknown_ca") || lower.contains("signature check")) {
            return badCert("the certificate of %s or ours is signed by another authority", peer);
        }
        if (lower.contains("certificate")) return badCert("certificate trouble with %s: %s", peer, text);
        return Fault.of(FaultCode.BAD_CERT, "no TLS connection to %s: %s", peer, text)
                .remedy("check that both sides have the same allow_insecure and certificates of the same authority");
    }

    private static Fault badCert(String format, Object... args) {
        return Fault.of(FaultCode.BAD_CERT, format, args).remedy(NEW_CERTIFICATES);
    }

    private static String text(Throwable t) {
        return t.getMessage() == null ? t.getClass().getSimpleName() : t.getMessage();
    }
}
