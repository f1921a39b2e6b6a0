import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * A process of its own that the tests run, also as another user, from this source with nothing but the JDK. Arguments: the socket,
 * then requests as hexadecimal bytes, each sent over a connection of its own. Prints each answer, and lives until its input ends.
 */
final class Stranger {
    private Stranger() {}

    public static void main(String[] args) throws IOException {
        List<SocketChannel> open = new ArrayList<>();
        for (int i = 1; i < args.length; i++) {
            SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            open.add(channel);
            channel.connect(UnixDomainSocketAddress.of(Path.of(args[0])));
            byte[] body = HexFormat.of().parseHex(args[i]);
            channel.write(
                    ByteBuffer.allocate(4 + body.length).putInt(body.length).put(body).flip());
            System.out.println("answer " + HexFormat.of().formatHex(answer(channel)));
        }
        while (System.in.read() >= 0) continue;
        for (SocketChannel channel : open) channel.close();
    }

    private static byte[] answer(SocketChannel channel) throws IOException {
        ByteBuffer answer = read(channel, read(channel, 4).getInt());
        byte[] bytes = new byte[answer.remaining()];
        answer.get(bytes);
        return bytes;
    }

    private static ByteBuffer read(SocketChannel channel, int length) throws IOException {
        ByteBuffer in = ByteBuffer.allocate(length);
        while (in.hasRemaining()) {
            if (channel.read(in) < 0) throw new IOException("closed");
        }
        return in.flip();
    }
}
