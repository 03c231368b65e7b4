"""The training in PyTorch, float32, with its fused optimisers. `eager`; `compile`: torch.compile of the loss, whose backward
pass is compiled with it; on CUDA also `graph` and `compile-graph`: a whole step, the gathering of its rows in it, captured
once as a CUDA graph and replayed."""

import workload

options = workload.arguments(["eager", "compile", "graph", "compile-graph"])
try:
    import torch
    from torch.nn import functional as F
except ImportError as error:
    workload.skip(f"PyTorch cannot be loaded: {error}")
if options.device == "gpu" and not torch.cuda.is_available():
    workload.skip("PyTorch sees no CUDA device")
if options.device == "cpu" and "graph" in options.variant:
    workload.skip("CUDA graphs are for CUDA devices")
torch.set_float32_matmul_precision("highest")  # f32, not TF32
torch.set_num_threads(workload.threads())
DEVICE = torch.device("cuda" if options.device == "gpu" else "cpu")


def synchronize():
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()


class Trainer:
    def __init__(self, case, x, y, parameters):
        torch.manual_seed(0)
        torch._dynamo.reset()  # every network is compiled for its own shapes
        self.case = case
        self.x = torch.from_numpy(x).to(DEVICE)
        self.y = torch.from_numpy(y if case["layers"][-1] == 1 else y[:, 0].astype("int64")).to(DEVICE)
        self.model = torch.nn.Sequential()
        for weight, bias in parameters:
            layer = torch.nn.Linear(*weight.shape)
            layer.weight.data = torch.from_numpy(weight.T.copy())
            layer.bias.data = torch.from_numpy(bias.copy())
            self.model.extend([layer, torch.nn.ReLU()])
        del self.model[-1]
        self.model.to(DEVICE)
        criterion = F.binary_cross_entropy_with_logits if case["layers"][-1] == 1 else F.cross_entropy
        loss_of = lambda x, y: criterion(self.model(x), y)
        self.loss_of = torch.compile(loss_of) if "compile" in options.variant else loss_of
        settings = {"lr": case["learning_rate"], "fused": True}
        if case["optimizer"] == "sgd":
            self.optimizer = torch.optim.SGD(self.model.parameters(), **settings)
        else:
            self.optimizer = torch.optim.Adam(self.model.parameters(), capturable="graph" in options.variant, **settings)
        self.total = torch.zeros((), device=DEVICE)  # of the losses
        self.order = torch.arange(case["rows"], device=DEVICE)
        self.places = torch.arange(case["batch"], device=DEVICE)
        self.graph = self.capture() if "graph" in options.variant else None

    def rows(self, chosen):
        return self.x.index_select(0, chosen), self.y.index_select(0, chosen)

    def step(self, x, y):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss_of(x, y)
        loss.backward()
        self.optimizer.step()
        self.total += loss.detach()

    def captured_step(self):
        if self.case["batch"] == self.case["rows"]:
            self.step(self.x, self.y)
        else:
            self.step(*self.rows(self.order.index_select(0, self.places)))
            self.places += self.case["batch"]

    def capture(self):
        """Captures a step. The steps that warm it up, as PyTorch's manual asks, are undone."""
        before = [p.detach().clone() for p in self.model.parameters()]
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self.places.copy_(torch.arange(len(self.places), device=DEVICE))
                self.captured_step()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        self.optimizer.zero_grad(set_to_none=True)
        with torch.cuda.graph(graph):
            self.captured_step()
        with torch.no_grad():
            for parameter, value in zip(self.model.parameters(), before):
                parameter.copy_(value)
            for state in self.optimizer.state.values():
                for value in state.values():
                    if isinstance(value, torch.Tensor):
                        value.zero_()
        self.total.zero_()
        return graph

    def train(self, epochs):
        rows, batch = self.case["rows"], self.case["batch"]
        for _ in range(epochs):
            if batch < rows:
                torch.randperm(rows, device=DEVICE, out=self.order)
            if self.graph:
                self.places.copy_(torch.arange(batch, device=DEVICE))
                for _ in range(rows // batch):
                    self.graph.replay()
            elif batch == rows:
                self.step(self.x, self.y)
            else:
                for chosen in self.order.split(batch):
                    self.step(*self.rows(chosen))
        synchronize()

    def parameters(self):
        linear = [layer for layer in self.model if isinstance(layer, torch.nn.Linear)]
        return [(l.weight.detach().T.cpu().numpy(), l.bias.detach().cpu().numpy()) for l in linear]


class Product:
    def __init__(self, a, b):
        self.a, self.b = torch.from_numpy(a).to(DEVICE), torch.from_numpy(b).to(DEVICE)
        self.c = torch.empty(len(a), b.shape[1], device=DEVICE)

    def run(self, count):
        for _ in range(count):
            torch.mm(self.a, self.b, out=self.c)
        synchronize()

    def result(self):
        return self.c.cpu().numpy()


if __name__ == "__main__":
    name = workload.device_name() if DEVICE.type == "cpu" else torch.cuda.get_device_name()
    product = Product if options.variant == "eager" else None  # one product is the same in all of them
    workload.main(options, f"PyTorch, {options.variant}", torch.__version__, name, Trainer, product)
