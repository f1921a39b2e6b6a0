package io.daosmesh.transport.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.daosmesh.model.fault.FaultCode;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.NotSslRecordException;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.security.cert.CertificateException;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Test;

class FailuresTest {
    @Test
    void shouldBlameTheConnectionWhenThePeerDiesDuringAHandshake() {
        assertCode(FaultCode.UNREACH, new SSLException("failure when writing", new IOException("Broken pipe")));
        assertCode(FaultCode.UNREACH, new SSLException("failure when writing", new ClosedChannelException()));
        assertCode(FaultCode.UNREACH, new DecoderException(new SSLException("x", new IOException("reset"))));
    }

    @Test
    void shouldBlameCertificatesWhenTheHandshakeIsRefused() {
        assertCode(FaultCode.BAD_CERT, new SSLHandshakeException("Received fatal alert: bad_certificate"));
        assertCode(FaultCode.BAD_CERT, new DecoderException(new NotSslRecordException("not an SSL/TLS record")));
        SSLHandshakeException unreadable = new SSLHandshakeException("x");
        unreadable.initCause(new CertificateException(new IOException("truncated")));
        assertCode(FaultCode.BAD_CERT, unreadable);
    }

    private static void assertCode(FaultCode expected, Throwable error) {
        assertEquals(expected, Failures.of(error, "n1:1").code());
    }
}
