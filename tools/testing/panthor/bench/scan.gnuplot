# SPDX-License-Identifier: GPL-2.0
# A scan for 100 pages: time by number of buffers.
set terminal svg size 800,500
set title "Scan for 100 pages, buffers of one page, GPU suspended"
set xlabel "buffers"
set ylabel "microseconds (median, min, max)"
set logscale x
set xrange [500:200000]
set yrange [0:*]
set key bottom right
plot data using 1:($2 == 1 ? $3 : NaN):4:5 with yerrorbars title "1 VM", \
     data using 1:($2 > 1 ? $3 : NaN):4:5 with yerrorbars title "many VMs"
