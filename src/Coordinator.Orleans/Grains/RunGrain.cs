using AdderNet.Coordinator.Hosting;
using AdderNet.Coordinator.RunLogic;
using AdderNet.Coordinator.Silos.Sessions;
using AdderNet.Protos.V1;
using Google.Protobuf;
using Orleans.Placement;
using Orleans.Storage;

namespace AdderNet.Coordinator.Silos.Grains;

/// <inheritdoc cref="IRunGrain"/>
[PreferLocalPlacement]
internal sealed class RunGrain(
    [PersistentState("run", SiloServices.GrainStates)] IPersistentState<RunGrainState> memory, SiloServices silo) : Grain, IRunGrain
{
    /// <summary>How often leases and timers are looked at.</summary>
    private static readonly TimeSpan TickPeriod = TimeSpan.FromMilliseconds(50);

    /// <summary>A place that is kept for a worker is given to another one when it has not come by then.</summary>
    private static readonly TimeSpan ReservationPeriod = TimeSpan.FromSeconds(2);

    /// <summary>A run that is submitted again is not driven meanwhile, but no longer than this if its submission is never ended.</summary>
    private static readonly TimeSpan ReplacePeriod = TimeSpan.FromSeconds(30);

    private readonly Queue<long> reserved = [];
    private RunDriver? driver;
    private IGrainTimer? ticks;
    private long? dropped;

    private string Id => this.GetPrimaryKeyString();

    public async Task<byte[]?> ViewAsync()
    {
        await TryStartAsync();
        return driver is null ? null : StatusMessages.Of(driver.Actor.State).ToByteArray();
    }

    public async Task<bool> AttendAsync()
    {
        await TryStartAsync();
        return driver is { Actor.State.IsOver: false };
    }

    public async Task TakeUpAsync(bool underWay)
    {
        if (driver is { Actor.State.IsOver: false })
            return;
        await LetGoAsync();
        dropped = null;
        await StartAsync(underWay);
    }

    public Task ControlAsync(ControlKind kind) => driver?.Actor.PostAndWaitAsync(new ControlAsked(kind, "asked for"), CancellationToken.None) ?? Task.CompletedTask;

    public Task SettleAsync() => driver?.Actor.PostAndWaitAsync(new Tick(), CancellationToken.None) ?? Task.CompletedTask;

    public async Task DropAsync()
    {
        await LetGoAsync();
        dropped = silo.Time.GetTimestamp();
    }

    public async Task<long[]> ReceiveAsync(ISiloDoor from, Parcel[] parcels)
    {
        await TryStartAsync();
        HashSet<long>? strangers = null;
        foreach (var parcel in parcels)
        {
            if (!Take(from, parcel))
                (strangers ??= []).Add(parcel.Session);
        }

        return strangers is null ? [] : [.. strangers];
    }

    public async Task<int> ReserveAsync(int workers)
    {
        await TryStartAsync();
        if (driver is null)
            return 0;
        while (reserved.TryPeek(out var at) && silo.Time.GetElapsedTime(at) > ReservationPeriod)
            reserved.Dequeue();
        var places = Math.Clamp(driver.Actor.FreePlaces - reserved.Count, 0, workers);
        for (var place = 0; place < places; place++)
            reserved.Enqueue(silo.Time.GetTimestamp());
        return places;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await LetGoAsync();
        await base.OnDeactivateAsync(reason, cancellationToken);
    }

    /// <summary>False: the session is none of this run, as far as this activation knows.</summary>
    private bool Take(ISiloDoor from, Parcel parcel)
    {
        if (driver is null)
            return parcel.Kind == ParcelKind.Gone;
        switch (parcel.Kind)
        {
            case ParcelKind.Came:
                reserved.TryDequeue(out _);
                driver.Sessions.Open(parcel.Session, parcel.WorkerId, from);
                var hello = Hello.Parser.ParseFrom(parcel.Content);
                driver.Actor.Connect(parcel.WorkerId, parcel.Session, hello);
                GrainFactory.GetGrain<IWorkerGrain>(parcel.WorkerId).CameAsync(Id, parcel.Session, from, parcel.Content).Ignore();
                return true;
            case ParcelKind.Said when driver.Sessions.Knows(parcel.Session):
                driver.Actor.Receive(parcel.WorkerId, parcel.Session, WorkerMessage.Parser.ParseFrom(parcel.Content));
                return true;
            case ParcelKind.Gone:
                driver.Sessions.Close(parcel.Session);
                driver.Actor.Post(new StreamClosed(parcel.WorkerId, parcel.Session));
                GrainFactory.GetGrain<IWorkerGrain>(parcel.WorkerId).GoneAsync(parcel.Session).Ignore();
                return true;
            default:
                return false;
        }
    }

    /// <summary>Takes a run up that is under way; one whose files cannot be reached stays as it is.</summary>
    private async Task TryStartAsync()
    {
        if (driver is not null || (dropped is { } at && silo.Time.GetElapsedTime(at) < ReplacePeriod))
            return;
        try
        {
            await StartAsync(underWay: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            SiloLog.RunNotDriven(silo.Log, Id, e.Message);
        }
    }

    private async Task StartAsync(bool underWay)
    {
        // Off this grain's scheduler: what drives the run takes its own turns.
        driver = await Task.Run(() => RunDriver.StartAsync(silo, Id, underWay));
        if (driver is null)
            return;
        ticks = this.RegisterGrainTimer(TickAsync, new GrainTimerCreationOptions(TickPeriod, TickPeriod) { KeepAlive = true });
        if (!underWay)
            return;
        foreach (var member in memory.State.Members)
            GrainFactory.GetGrain<IWorkerGrain>(member).ComeAgainAsync(Id).Ignore();
    }

    private async Task LetGoAsync()
    {
        ticks?.Dispose();
        ticks = null;
        if (driver is { } held)
        {
            driver = null;
            await Task.Run(() => held.DisposeAsync().AsTask());
        }
    }

    private async Task TickAsync()
    {
        if (driver is null)
            return;
        if (driver.Lost is { } why)
        {
            await GiveUpAsync(why);
            return;
        }

        driver.Actor.Post(new Tick());
        var state = driver.Actor.State;
        if (state.IsOver)
        {
            ticks?.Dispose();
            ticks = null;
        }

        if (state.Generation is { } generation && generation.Number != memory.State.Generation)
            await RememberAsync(state, generation);
    }

    private async Task RememberAsync(RunState state, GenerationPlan generation)
    {
        memory.State.Generation = generation.Number;
        memory.State.Members = [.. generation.Members.Select(m => m.WorkerId)];
        foreach (var member in state.Members.Values)
        {
            if (member.SecondsPerShard is { } seconds)
                GrainFactory.GetGrain<IWorkerGrain>(member.WorkerId).MeasuredAsync(seconds).Ignore();
        }

        try
        {
            await memory.WriteStateAsync();
        }
        catch (InconsistentStateException e)
        {
            await GiveUpAsync(e.Message);
        }
    }

    /// <summary>Another activation may be driving the run: whoever asks for it next is to find that one.</summary>
    private async Task GiveUpAsync(string why)
    {
        SiloLog.RunLetGo(silo.Log, Id, why);
        await LetGoAsync();
        DeactivateOnIdle();
    }
}
