package io.daosmesh.transport;

import com.google.protobuf.ByteString;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.RequestHeader;
import io.daosmesh.transport.tls.Pem;
import io.daosmesh.transport.wire.ClearChannel;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.Locale;
import java.util.zip.CRC32C;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/** A stranger: sockets and RSocket frames written by hand, nothing of the client library. */
final class RawPeer implements AutoCloseable {
    static final int REQUEST_RESPONSE = 0x04;
    static final int REQUEST_STREAM = 0x06;
    static final int PAYLOAD = 0x0A;
    static final int ERROR = 0x0B;
    static final int FLAG_METADATA = 0x100;
    static final int FLAG_FOLLOWS = 0x80;

    final Socket socket;
    final DataOutputStream out;
    final DataInputStream in;
    private boolean isSealed;

    private RawPeer(Socket socket) throws IOException {
        this.socket = socket;
        socket.setSoTimeout(20_000);
        this.out = new DataOutputStream(socket.getOutputStream());
        this.in = new DataInputStream(socket.getInputStream());
    }

    /** @param from own address, so that it need not be everybody else's */
    static RawPeer plain(int port, String from) throws IOException {
        Socket s = new Socket();
        s.bind(new InetSocketAddress(from, 0));
        s.connect(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), port), 5000);
        return new RawPeer(s);
    }

    /** @param role null for nobody's certificate */
    static RawPeer tls(int port, Path certificates, @Nullable Role role) throws Exception {
        return new RawPeer(
                context(certificates, role).getSocketFactory().createSocket(InetAddress.getByName("127.0.0.1"), port));
    }

    /** Connects to a clear data channel and proves; frames written by hand have no checksum yet, see {@link #seal}. */
    static RawPeer clear(int port, byte[] session, byte[] key, String from) throws IOException {
        RawPeer peer = plain(port, from);
        peer.out.writeInt(ClearChannel.MAGIC);
        peer.out.write(session);
        peer.out.flush();
        byte[] nonce = peer.in.readNBytes(ClearChannel.NONCE_BYTES);
        peer.out.write(ClearChannel.proof(key, session, nonce));
        peer.out.flush();
        return peer;
    }

    /** From now on {@link #frame} puts a checksum behind each frame, and {@link #answer} takes it off. */
    RawPeer seal() {
        isSealed = true;
        return this;
    }

    /** @param from own address: handshakes of one address are limited */
    static RawPeer tls(int port, SSLContext context, String from) throws IOException {
        return new RawPeer(context.getSocketFactory()
                .createSocket(InetAddress.getByName("127.0.0.1"), port, InetAddress.getByName(from), 0));
    }

    /** @param role null for nobody's certificate */
    static SSLContext context(Path dir, @Nullable Role role) throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        if (role != null) {
            String name = role.name().toLowerCase(Locale.ROOT);
            X509Certificate[] chain =
                    Pem.certificates(dir.resolve(name + ".crt")).toArray(new X509Certificate[0]);
            store.setKeyEntry("own", Pem.key(dir.resolve(name + ".key")), new char[0], chain);
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(store, new char[0]);
        SSLContext context = SSLContext.getInstance("TLSv1.3");
        context.init(keys.getKeyManagers(), new TrustManager[] {new Anybody()}, null);
        return context;
    }

    private static final class Anybody implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }

    RawPeer setup(byte[] data) throws IOException {
        frame(0, 0x01, 0, setupRest(data));
        return this;
    }

    /** With its length. */
    static byte[] setupFrame(byte[] data) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        byte[] rest = setupRest(data);
        header(new DataOutputStream(bytes), 6 + rest.length, 0, 0x01, 0);
        bytes.writeBytes(rest);
        return bytes.toByteArray();
    }

    private static byte[] setupRest(byte[] data) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream f = new DataOutputStream(bytes);
        f.writeShort(1);
        f.writeShort(0);
        f.writeInt(5000);
        f.writeInt(20_000);
        for (String mime : new String[] {"message/x.rsocket.composite-metadata.v0", "application/octet-stream"}) {
            f.writeByte(mime.length());
            f.writeBytes(mime);
        }
        f.write(data);
        return bytes.toByteArray();
    }

    RawPeer setup() throws IOException {
        return setup(TransportFixture.setup().build().toByteArray());
    }

    void frame(int stream, int type, int flags, byte[] rest) throws IOException {
        ByteArrayOutputStream whole = new ByteArrayOutputStream(13 + rest.length);
        DataOutputStream f = new DataOutputStream(whole);
        header(f, (isSealed ? 10 : 6) + rest.length, stream, type, flags);
        f.write(rest);
        if (isSealed) {
            CRC32C crc = new CRC32C();
            crc.update(whole.toByteArray(), 3, 6 + rest.length);
            f.writeInt((int) crc.getValue());
        }
        out.write(whole.toByteArray());
        out.flush();
    }

    /** Length, stream, type and flags of a frame whose rest is to follow. */
    static void header(DataOutputStream to, int length, int stream, int type, int flags) throws IOException {
        to.writeByte(length >>> 16);
        to.writeShort(length);
        to.writeInt(stream);
        to.writeShort(type << 10 | flags);
    }

    void request(int stream, RpcMethod method, int rank, byte[] body) throws IOException {
        frame(stream, REQUEST_RESPONSE, FLAG_METADATA, metadata(method, rank, body, 0));
    }

    void stream(int stream, RpcMethod method, int rank) throws IOException {
        ByteArrayOutputStream rest = new ByteArrayOutputStream();
        rest.writeBytes(new byte[] {0x7f, -1, -1, -1});
        rest.writeBytes(metadata(method, rank, new byte[0], 0));
        frame(stream, REQUEST_STREAM, FLAG_METADATA, rest.toByteArray());
    }

    static byte[] metadata(RpcMethod method, int rank, byte[] body, long hlc) throws IOException {
        byte[] header = RequestHeader.newBuilder()
                .setMethod(method.number())
                .setRank(rank)
                .setDeadlineMs(10_000)
                .setHlc(hlc)
                .setBody(ByteString.copyFrom(body))
                .build()
                .toByteArray();
        byte[] mime = "application/x.daosmesh.header".getBytes(StandardCharsets.US_ASCII);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream f = new DataOutputStream(bytes);
        int length = 1 + mime.length + 3 + header.length;
        f.writeByte(length >>> 16);
        f.writeShort(length);
        f.writeByte(mime.length - 1);
        f.write(mime);
        f.writeByte(header.length >>> 16);
        f.writeShort(header.length);
        f.write(header);
        return bytes.toByteArray();
    }

    /** The next frame that is no keep-alive; null when the other side has closed. */
    @Nullable
    Answer answer() throws IOException {
        try {
            while (true) {
                int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
                int stream = in.readInt();
                int type = in.readUnsignedShort() >>> 10;
                byte[] rest = in.readNBytes(length - (isSealed ? 10 : 6));
                if (isSealed) in.readInt();
                if (type != 0x03) return new Answer(stream, type, rest);
            }
        } catch (SocketTimeoutException e) {
            throw e;
        } catch (IOException e) {
            return null;
        }
    }

    record Answer(int stream, int type, byte[] rest) {
        String text() {
            return new String(rest, StandardCharsets.ISO_8859_1);
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
