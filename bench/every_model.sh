#!/usr/bin/env bash
# Trains every model with every method for some hundred steps on Fashion-MNIST and prints a table of loss and accuracy.
#   bench/every_model.sh OUTPUT [MODEL...] [-- METHOD...]
# Needs python3 with numpy. A run that is already finished in OUTPUT is not run again.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
output=${1:?"an output folder, for example runs/every-model"}
shift
models=() methods=()
while (($#)) && [[ $1 != -- ]]; do models+=("$1"); shift; done
(($# == 0)) || { shift; methods=("$@"); }
((${#models[@]})) || models=(lenet5 resnet20 resnet32 resnet18 resnet50 vgg-small)
((${#methods[@]})) || methods=(adder conv binary dorefa xnor)

mkdir -p "$output"
"$root/addernet" data fetch fashion-mnist "$output/fashion-mnist" >&2
[[ -e $output/cifar/test_batch.bin ]] || "${PYTHON:-python3}" "$root/bench/fashion_as_cifar.py" "$output/fashion-mnist" "$output/cifar"

echo "| model | method | steps | batch | mean loss, first 10 steps | mean loss, last 10 steps | top-1 |"
echo "|---|---|---|---|---|---|---|"
for model in "${models[@]}"; do
    config=$root/configs/cifar10-resnet20.yaml data=$output/cifar steps=200 batch=32
    case $model in
        lenet5) config=$root/configs/fashion-mnist-lenet5.yaml data=$output/fashion-mnist steps=300 batch=128 ;;
        vgg-small) steps=100 batch=16 ;;
    esac
    for method in "${methods[@]}"; do
        run=$output/$model-$method
        "$root/addernet" train "$config" --workers 1 --threads "${THREADS:-1}" --data "$data" --output "$run" \
            --set "model.name=$model" --set "model.method=$method" --set batch.global=$batch --set batch.shards=2 \
            --set batch.normalization=shard --set schedule.kind=cosine --set schedule.per=step --set schedule.epochs=1 \
            --set "schedule.max_steps=$steps" --set optimizer.learning_rate=0.05 --set evaluation.keep_best=false >"$run.log" 2>&1 ||
            { echo "| $model | $method | failed: $(tail -1 "$run.log") |"; continue; }
        awk -v model="$model" -v method="$method" -v batch="$batch" '
            match($0, /"loss":[-0-9.eE+]+/) { loss = substr($0, RSTART + 7, RLENGTH - 7) }
            /"learning_rate"/ { losses[++n] = loss }
            match($0, /"top1":[-0-9.eE+]+/) { top1 = substr($0, RSTART + 7, RLENGTH - 7) }
            END {
                for (i = 1; i <= 10; i++) { first += losses[i] / 10; last += losses[n - 10 + i] / 10 }
                printf "| %s | %s | %d | %d | %.3f | %.3f | %.1f %% |\n", model, method, n, batch, first, last, top1 * 100
            }' "$run/metrics.jsonl"
    done
done
