package io.daosmesh.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.wire.AgentHandleMessage;
import io.daosmesh.model.wire.AgentHandlesMessage;
import io.daosmesh.model.wire.AgentReply;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Processes that do what none should: nobody else may notice. */
class HostileTest extends AgentFixture {
    private static final int OWN = 1000;

    /** Opened and never heard of again. */
    private int openUntilRefused(int count) throws IOException {
        int served = 0;
        for (int i = 0; i < count; i++) {
            AgentReply reply = askOrBeRefused(connect());
            if (reply.hasFault())
                assertEquals(FaultCode.BUSY.number(), reply.getFault().getCode());
            else served++;
        }
        return served;
    }

    /** The refusal may be there before the question is. */
    private static AgentReply askOrBeRefused(SocketChannel channel) throws IOException {
        try {
            channel.write(frame(ATTACH.toByteArray()));
        } catch (IOException e) {
            assertTrue(String.valueOf(e.getMessage()).contains("Broken pipe"), e.toString());
        }
        return answer(channel);
    }

    @Test
    void shouldKeepRoomForOtherUsers() throws Exception {
        needNobody();
        start();

        int served = openUntilRefused(OWN + 100);

        assertEquals(OWN, served);
        Child nobody = new Child(AS_NOBODY, CREDENTIAL, ATTACH);
        assertTrue(nobody.answer().hasCredential());
        assertTrue(nobody.answer().hasAttach());
    }

    @Test
    void shouldLetAUserInAgainWhenItHasLeft() throws Exception {
        start();
        openUntilRefused(OWN + 1);
        assertTrue(askOrBeRefused(connect()).hasFault());

        for (AutoCloseable open : toClose) if (open instanceof SocketChannel channel) channel.close();

        await("room", () -> {
            try (SocketChannel channel = connect()) {
                return ask(channel, ATTACH).hasAttach();
            } catch (IOException e) {
                return false;
            }
        });
    }

    @Test
    void shouldCloseWhatSpeaksSomethingElse() throws Exception {
        start();
        Random random = new Random(5);
        List<ByteBuffer> garbage = new ArrayList<>();
        garbage.add(ByteBuffer.allocate(4).putInt(-1).flip());
        garbage.add(ByteBuffer.allocate(4).putInt(0).flip());
        garbage.add(
                ByteBuffer.allocate(4).putInt(AgentLimits.MESSAGE_BYTES_MAX + 1).flip());
        garbage.add(ByteBuffer.wrap("GET / HTTP/1.1\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII)));
        garbage.add(frame(new byte[] {(byte) 0xff, (byte) 0xff, (byte) 0xff}));
        for (int i = 0; i < 200; i++) {
            byte[] bytes = new byte[1 + random.nextInt(300)];
            random.nextBytes(bytes);
            garbage.add(random.nextBoolean() ? frame(bytes) : ByteBuffer.wrap(bytes));
        }

        for (ByteBuffer bytes : garbage) {
            SocketChannel channel = connect();
            channel.write(bytes);
            channel.shutdownOutput();
            assertTrue(isClosed(channel));
        }

        assertTrue(ask(connect(), ATTACH).hasAttach());
    }

    @Test
    void shouldNotWaitForSilentOrHalfMessages() throws Exception {
        start();
        SocketChannel silent = connect();
        SocketChannel half = connect();
        half.write(ByteBuffer.allocate(5).putInt(100).put((byte) 8).flip());
        SocketChannel later = connect();
        ask(later, ATTACH);
        later.write(ByteBuffer.allocate(2));
        SocketChannel idle = connect();
        ask(idle, ATTACH);

        assertTrue(isClosed(silent));
        assertTrue(isClosed(half));
        assertTrue(isClosed(later));
        assertTrue(ask(idle, ATTACH).hasAttach());
    }

    @Test
    void shouldTakeAMessageInPiecesAndSeveralAtOnce() throws Exception {
        start();
        SocketChannel channel = connect();
        ByteBuffer three = ByteBuffer.allocate(3 * (4 + ATTACH.getSerializedSize()));
        for (int i = 0; i < 3; i++) three.put(frame(ATTACH.toByteArray()));
        three.flip();

        while (three.hasRemaining())
            channel.write(three.slice(three.position(), 1).limit(skip(three)));

        for (int i = 0; i < 3; i++) assertTrue(answer(channel).hasAttach());
    }

    /** One byte further. */
    private static int skip(ByteBuffer buffer) {
        buffer.position(buffer.position() + 1);
        return 1;
    }

    @Test
    void shouldNotAnswerWhoDoesNotRead() throws Exception {
        identity.authority.set(new byte[30_000]);
        start();
        SocketChannel channel = connect();
        channel.configureBlocking(false);
        ByteBuffer request = frame(ATTACH.toByteArray());

        await("closed", () -> {
            try {
                for (int i = 0; i < 100; i++) channel.write(request.rewind());
                return false;
            } catch (IOException e) {
                return true;
            }
        });

        assertTrue(ask(connect(), ATTACH).hasAttach());
    }

    @Test
    void shouldBoundHalfMessagesOfAUser() throws Exception {
        start();
        byte[] nearly = new byte[AgentLimits.MESSAGE_BYTES_MAX - 1];
        int closed = 0;
        List<SocketChannel> open = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            SocketChannel channel = connect();
            channel.configureBlocking(false);
            ByteBuffer frame = frame(nearly);
            frame.limit(frame.limit() - 1);
            try {
                while (frame.hasRemaining()) channel.write(frame);
                open.add(channel);
            } catch (IOException e) {
                closed++;
            }
        }

        assertTrue(closed + open.size() == 40);
        SocketChannel other = connect();
        assertTrue(ask(other, ATTACH).hasAttach());
        for (SocketChannel channel : open) {
            channel.configureBlocking(true);
            assertTrue(isClosed(channel));
        }
    }

    @Test
    void shouldBoundHandles() throws Exception {
        start();
        SocketChannel channel = connect();
        ByteString[] some = new ByteString[LIMITS.handlesPerConnectionMax()];
        for (int i = 0; i < some.length; i++) some[i] = handle(i);

        assertFalse(ask(channel, opened(some)).hasFault());
        assertFalse(ask(channel, opened(some)).hasFault());
        assertEquals(
                FaultCode.BUSY.number(),
                ask(channel, opened(handle(some.length))).getFault().getCode());
        assertEquals(
                FaultCode.INVAL.number(),
                ask(channel, opened(ByteString.copyFrom(new byte[3])))
                        .getFault()
                        .getCode());
    }

    /** Pools that nobody has: neither the servers nor the evictions of others may suffer. */
    @Test
    void shouldBoundEvictionsOfInventedHandles() throws Exception {
        start();
        system.hold(true);
        int told = 0;
        for (int process = 0; process < 20; process++) {
            SocketChannel channel = connect();
            AgentHandlesMessage.Builder invented = AgentHandlesMessage.newBuilder();
            for (int i = 0; i < 500; i++) {
                invented.addHandles(AgentHandleMessage.newBuilder()
                        .setPool(handle(1000 * process + i))
                        .setHandle(handle(1000 * process + i)));
            }
            if (!ask(channel, request(r -> r.setOpened(invented))).hasFault()) told += 500;
            channel.close();
        }

        assertTrue(told <= LIMITS.handlesPerUserMax(), "told " + told);
        assertTrue(system.findsHeld() <= Evictions.REQUESTS_MAX, "asked " + system.findsHeld());
        system.hold(false);
        await("room again", () -> {
            try (SocketChannel channel = connect()) {
                return !ask(channel, opened(handle(1))).hasFault();
            } catch (IOException e) {
                return false;
            }
        });
        await("evicted", () -> system.evicted().contains(handle(1)));
    }
}
