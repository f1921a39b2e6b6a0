package io.daosmesh.transport.tls;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.rpc.Role;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.NetUtil;
import java.math.BigInteger;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import javax.net.ssl.SSLPeerUnverifiedException;

/**
 * What a certificate says about its holder. Immutable; pure.
 *
 * @param name common name, the role if it is one
 * @param addresses names and IP addresses of its host, each in one form, see {@link #covers}
 */
public record PeerCertificate(String name, Set<String> addresses, BigInteger serial, Instant notAfter) {
    private static final String RENEW = "renew the server's certificate with daos-certs, naming all its addresses";
    private static final int SAN_NAME = 2;
    private static final int SAN_IP = 7;

    public PeerCertificate {
        addresses = Set.copyOf(addresses);
    }

    /** BAD_CERT when its addresses cannot be read. */
    public static PeerCertificate of(X509Certificate c) {
        Set<String> addresses = new TreeSet<>();
        try {
            Collection<List<?>> names = c.getSubjectAlternativeNames();
            for (List<?> name : names == null ? List.<List<?>>of() : names) {
                int kind = (Integer) name.get(0);
                if (kind == SAN_NAME || kind == SAN_IP) addresses.add(canonical((String) name.get(1)));
            }
        } catch (CertificateParsingException e) {
            throw Fault.of(
                            FaultCode.BAD_CERT,
                            "the certificate's addresses cannot be read: %s",
                            String.valueOf(e.getMessage()))
                    .remedy(RENEW)
                    .asException();
        }
        return new PeerCertificate(
                Roles.commonName(c),
                addresses,
                c.getSerialNumber(),
                c.getNotAfter().toInstant());
    }

    /** Of the other side of a connection whose handshake has ended. Owner: its event loop. */
    public static Optional<PeerCertificate> shown(SslHandler tls) {
        return leaf(tls).map(PeerCertificate::of);
    }

    static Optional<X509Certificate> leaf(SslHandler tls) {
        try {
            return Optional.of((X509Certificate) tls.engine().getSession().getPeerCertificates()[0]);
        } catch (SSLPeerUnverifiedException e) {
            return Optional.empty();
        }
    }

    public Optional<Role> role() {
        return Roles.named(name);
    }

    /** Whether it is for this name or address literal; names in any case, addresses in any spelling, no wildcards. */
    public boolean covers(String host) {
        return addresses.contains(canonical(host));
    }

    /**
     * Why its holder is not the server at this control address; empty when it is.
     *
     * @param address {@code host:port}, or {@code host}
     */
    public Optional<Fault> refusal(String address) {
        String host = host(address);
        if (covers(host)) return Optional.empty();
        String are = addresses.isEmpty() ? "no address" : String.join(", ", new TreeSet<>(addresses));
        return Optional.of(Fault.of(FaultCode.BAD_CERT, "the certificate shown is for %s, not for '%s'", are, host)
                .with("serial", text(serial))
                .remedy(RENEW));
    }

    /** As daos-certs prints and takes it. */
    public static String text(BigInteger serial) {
        return serial.toString(16);
    }

    private static String host(String address) {
        if (address.startsWith("[") && address.contains("]")) return address.substring(1, address.indexOf(']'));
        int colon = address.indexOf(':');
        // more than one: an IPv6 address without a port
        return colon >= 0 && colon == address.lastIndexOf(':') ? address.substring(0, colon) : address;
    }

    private static String canonical(String host) {
        byte[] ip = NetUtil.createByteArrayFromIpAddressString(host);
        if (ip != null) return NetUtil.bytesToIpAddress(ip);
        String name = host.toLowerCase(Locale.ROOT);
        if (!name.endsWith(".")) return name;
        String bare = name.substring(0, name.length() - 1);
        // a name that only looks like an address must not become one
        return NetUtil.createByteArrayFromIpAddressString(bare) == null ? bare : name;
    }
}
