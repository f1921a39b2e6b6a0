package io.daosmesh.engine.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.daosmesh.engine.fake.MemoryStorage;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.FetchRequest;
import io.daosmesh.model.wire.ValueMessage;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Which threads a read crosses: the one that receives it, that of the target's loop when it has to be asked, and the device's. */
@Timeout(60)
class HandOversTest {
    private static final byte[] KEY = {'k'};

    private final MiniMesh mesh = new MiniMesh(3, 1);
    private final ObjectId oid = mesh.oid(ObjectClass.RP_3, 1, 5);

    @AfterEach
    void close() {
        mesh.close();
    }

    /** Of the thread on which the reply is there; those of the fake transport begin with "wire". */
    private String replyThread() {
        PoolTarget leader = mesh.leader(oid, KEY);
        FetchRequest r = FetchRequest.newBuilder()
                .setAddress(mesh.wire(
                        new ShardAddress(mesh.pool, mesh.container, oid, 0, mesh.map.version()), leader.index()))
                .setDkey(ByteString.copyFrom(KEY))
                .addValues(ValueMessage.newBuilder().setAkey(ByteString.copyFromUtf8("v")))
                .build();
        String thread = mesh.call(
                        leader.rank(),
                        RpcMethod.OBJECT_FETCH,
                        r,
                        RpcMessage.NO_DATA,
                        x -> Thread.currentThread().getName())
                .block(Duration.ofSeconds(10));
        return String.valueOf(thread).replaceAll("-.*", "");
    }

    @Test
    void shouldAnswerAHotReadOnTheThreadThatReceivesIt() {
        mesh.put(oid, KEY, new byte[5000]);

        String cold = replyThread();
        String hot = replyThread();
        mesh.put(oid, KEY, new byte[6000]);
        String coldAgain = replyThread();

        assertEquals("wire", hot);
        assertNotEquals("wire", cold);
        assertEquals(cold, coldAgain);
    }

    @Test
    void shouldHandAColdReadToTheDeviceOnceAndAnswerItThere() {
        ExecutorService device = Executors.newSingleThreadExecutor(r -> new Thread(r, "device"));
        AtomicInteger handed = new AtomicInteger();
        for (MemoryStorage s : mesh.storages)
            s.target(0).blob(mesh.pool).device = read -> {
                handed.incrementAndGet();
                device.execute(read);
            };
        mesh.put(oid, KEY, new byte[1 << 20]);

        String thread = replyThread();

        assertEquals(1, handed.get());
        // whoever of the two ends last
        assertTrue(List.of("device", "pool").contains(thread), thread);
        device.shutdown();
    }
}
