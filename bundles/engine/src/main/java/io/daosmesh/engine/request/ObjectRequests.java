package io.daosmesh.engine.request;

import com.google.protobuf.ByteString;
import com.google.protobuf.DiscardUnknownFieldsParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Parser;
import io.daosmesh.engine.shard.KeyChange;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.wire.ChangeRequest;
import io.daosmesh.model.wire.DtxBatchRequest;
import io.daosmesh.model.wire.DtxMessage;
import io.daosmesh.model.wire.DtxRefMessage;
import io.daosmesh.model.wire.DtxResolveRequest;
import io.daosmesh.model.wire.EnumerateRequest;
import io.daosmesh.model.wire.FetchRequest;
import io.daosmesh.model.wire.KeyChangeMessage;
import io.daosmesh.model.wire.ObjectAddress;
import io.daosmesh.model.wire.PunchRequest;
import io.daosmesh.model.wire.RecordPullRequest;
import io.daosmesh.model.wire.UpdateRequest;
import io.daosmesh.model.wire.ValueMessage;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * The requests of reads and writes, refused with OVERFLOW when a field of theirs is larger than anybody sends; fields that this
 * release does not know are dropped. By hand and not by description, as {@link io.daosmesh.model.limit.MessageLimits} does it: that
 * takes as long as the parsing itself, twice over. Stateless.
 */
public final class ObjectRequests {
    /** Of pools, containers, handles, clients. */
    static final int ID_BYTES_MAX = 64;

    /** Of keys and anchors; a key of more than 4,096 bytes is refused later, as KEY2BIG. */
    static final int KEY_BYTES_MAX = 64 << 10;

    /** A leader commits 512 at once. */
    static final int DTXS_MAX = 1024;

    private static final Parser<UpdateRequest> UPDATE = DiscardUnknownFieldsParser.wrap(UpdateRequest.parser());
    private static final Parser<PunchRequest> PUNCH = DiscardUnknownFieldsParser.wrap(PunchRequest.parser());
    private static final Parser<ChangeRequest> CHANGE = DiscardUnknownFieldsParser.wrap(ChangeRequest.parser());
    private static final Parser<FetchRequest> FETCH = DiscardUnknownFieldsParser.wrap(FetchRequest.parser());
    private static final Parser<EnumerateRequest> ENUMERATE =
            DiscardUnknownFieldsParser.wrap(EnumerateRequest.parser());
    private static final Parser<DtxBatchRequest> DTXS = DiscardUnknownFieldsParser.wrap(DtxBatchRequest.parser());
    private static final Parser<DtxResolveRequest> RESOLVE =
            DiscardUnknownFieldsParser.wrap(DtxResolveRequest.parser());

    private static final Parser<RecordPullRequest> RECORD = DiscardUnknownFieldsParser.wrap(RecordPullRequest.parser());

    private ObjectRequests() {}

    public static UpdateRequest update(ByteBuffer body) throws InvalidProtocolBufferException {
        FieldCount.check("UpdateRequest", body, WriteOp.VALUES_MAX);
        UpdateRequest r = UPDATE.parseFrom(body);
        check(r.getAddress());
        checkKey(r.getDkey());
        check(r.getValuesList());
        check(r.getDtx());
        return r;
    }

    public static PunchRequest punch(ByteBuffer body) throws InvalidProtocolBufferException {
        FieldCount.check("PunchRequest", body, WriteOp.VALUES_MAX);
        PunchRequest r = PUNCH.parseFrom(body);
        check(r.getAddress());
        checkKey(r.getDkey());
        check(r.getValuesList());
        check(r.getDtx());
        return r;
    }

    public static ChangeRequest change(ByteBuffer body) throws InvalidProtocolBufferException {
        FieldCount.checkNested(
                "ChangeRequest", body, KeyChange.CHANGES_MAX, ChangeRequest.CHANGES_FIELD_NUMBER, WriteOp.VALUES_MAX);
        ChangeRequest r = CHANGE.parseFrom(body);
        check(r.getAddress());
        checkCount("changes", r.getChangesCount(), KeyChange.CHANGES_MAX);
        for (int i = 0; i < r.getChangesCount(); i++) {
            KeyChangeMessage c = r.getChanges(i);
            checkKey(c.getDkey());
            checkKey(c.getAkey());
            check(c.getValuesList());
        }
        check(r.getDtx());
        return r;
    }

    public static FetchRequest fetch(ByteBuffer body) throws InvalidProtocolBufferException {
        FieldCount.check("FetchRequest", body, WriteOp.VALUES_MAX);
        FetchRequest r = FETCH.parseFrom(body);
        check(r.getAddress());
        checkKey(r.getDkey());
        check(r.getValuesList());
        return r;
    }

    public static EnumerateRequest enumerate(ByteBuffer body) throws InvalidProtocolBufferException {
        EnumerateRequest r = ENUMERATE.parseFrom(body);
        check(r.getAddress());
        checkKey(r.getDkey());
        checkKey(r.getAkey());
        checkSize("anchor", r.getAnchor(), KEY_BYTES_MAX);
        return r;
    }

    public static DtxBatchRequest dtxs(ByteBuffer body) throws InvalidProtocolBufferException {
        FieldCount.check("DtxBatchRequest", body, DTXS_MAX);
        DtxBatchRequest r = DTXS.parseFrom(body);
        checkId("pool", r.getPool());
        checkCount("DTXs", r.getDtxsCount(), DTXS_MAX);
        for (DtxRefMessage d : r.getDtxsList()) check(d.getDtx());
        return r;
    }

    public static DtxResolveRequest resolve(ByteBuffer body) throws InvalidProtocolBufferException {
        DtxResolveRequest r = RESOLVE.parseFrom(body);
        check(r.getAddress());
        checkKey(r.getDkey());
        check(r.getDtx());
        return r;
    }

    public static RecordPullRequest record(ByteBuffer body) throws InvalidProtocolBufferException {
        FieldCount.checkNested("RecordPullRequest", body, 1, RecordPullRequest.RECORD_FIELD_NUMBER, 1);
        RecordPullRequest r = RECORD.parseFrom(body);
        check(r.getAddress());
        checkKey(r.getRecord().getDkey());
        checkKey(r.getRecord().getAkey());
        for (DtxRefMessage d : r.getRecord().getCommittedList()) check(d.getDtx());
        // numbers side by side are one field on the wire
        checkCount("origins", r.getRecord().getOriginEndCount(), 1);
        checkCount("origins", r.getRecord().getOriginEpochCount(), 1);
        return r;
    }

    private static void check(ObjectAddress a) {
        checkId("pool", a.getPool());
        checkId("container", a.getContainer());
        checkId("handle", a.getHandle());
    }

    private static void check(List<ValueMessage> values) {
        checkCount("values", values.size(), WriteOp.VALUES_MAX);
        for (int i = 0; i < values.size(); i++) checkKey(values.get(i).getAkey());
    }

    private static void check(DtxMessage dtx) {
        checkId("client", dtx.getClient());
    }

    private static void checkKey(ByteString key) {
        checkSize("key", key, KEY_BYTES_MAX);
    }

    private static void checkId(String what, ByteString id) {
        checkSize(what, id, ID_BYTES_MAX);
    }

    private static void checkSize(String what, ByteString bytes, int max) {
        if (bytes.size() > max) {
            throw Fault.of(FaultCode.OVERFLOW, "a %s of %d bytes, at most %d are taken", what, bytes.size(), max)
                    .asException();
        }
    }

    private static void checkCount(String what, int count, int max) {
        if (count > max) {
            throw Fault.of(FaultCode.OVERFLOW, "%d %s in one request, at most %d are taken", count, what, max)
                    .asException();
        }
    }
}
